import type { Logger } from '../telemetry/log.ts';
import { PodHints, type Told } from './hints.ts';
import { type LinkSettings, NatsLink } from './link.ts';

export interface PodsOptions {
  readonly settings: LinkSettings & { readonly stream: string };
  /** What a hint from another pod does here. */
  readonly hinted: (told: Told) => void;
  readonly log: Logger;
}

/**
 * What several pods of one scaler share by NATS. `link` is the one connection: the event log writes and reads by it,
 * hints go over it, and whatever else pods agree on can use it too. It is there with `eventLog: { type: nats }` alone.
 */
export class Pods {
  readonly link: NatsLink;
  private readonly hints: PodHints;

  constructor({ settings, hinted, log }: PodsOptions) {
    this.link = new NatsLink({ settings, log });
    this.hints = new PodHints({
      link: this.link,
      natsSubject: `${settings.stream}.hints`,
      take: hinted,
      log,
    });
  }

  open(): void {
    this.link.open();
  }

  /** Passes a hint on to the other pods; whether it could be. */
  hint(told: Told): boolean {
    return this.hints.send(told);
  }

  close(): Promise<void> {
    return this.link.close();
  }
}
