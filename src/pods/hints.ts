import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { natsFault } from '../outbound/nats.ts';
import type { Logger } from '../telemetry/log.ts';
import type { NatsLink, Up } from './link.ts';

/** Hints for one name go out this far apart, but for the first. */
const restMs = 50;
/** Names of what hints can be about, at a time; above it they are left out, which costs latency only. */
const maxUnderWay = 1_000;

const message = z.object({
  from: z.string(),
  connection: z.string(),
  subject: z.string().exactOptional(),
  cause: z.enum(['sns', 'event', 'hint']),
});

export interface Told {
  readonly connection: string;
  /** Undefined: all of the connection. */
  readonly subject: string | undefined;
  readonly cause: 'sns' | 'event' | 'hint';
}

export interface PodHintsOptions {
  readonly link: NatsLink;
  /** The NATS subject of hints. */
  readonly natsSubject: string;
  /** What a hint from another pod does here. */
  readonly take: (told: Told) => void;
  readonly log: Logger;
}

/**
 * Hints to and from the other pods. They are kept nowhere: one that is lost costs latency only. Those for the same name
 * that come while one is on its way, or just after, become one more.
 */
export class PodHints {
  private readonly options: PodHintsOptions;
  private readonly self = randomUUID();
  /** What is on its way, and whether another came meanwhile. */
  private readonly underWay = new Map<string, { again: boolean }>();
  private subscribed: Up['connection'] | undefined;

  constructor(options: PodHintsOptions) {
    this.options = options;
    options.link.onUp((up) => this.subscribe(up));
  }

  /** Whether the other pods are told. */
  send(told: Told): boolean {
    const { up } = this.options.link;
    if (up === undefined) return false;
    const key = JSON.stringify([told.connection, told.subject]);
    const before = this.underWay.get(key);
    if (before !== undefined) {
      before.again = true;
      return true;
    }
    if (this.underWay.size >= maxUnderWay) return false;
    void this.publish(key, told, up);
    return true;
  }

  private async publish(key: string, told: Told, { connection }: Up): Promise<void> {
    const way = { again: false };
    this.underWay.set(key, way);
    try {
      do {
        way.again = false;
        connection.publish(this.options.natsSubject, JSON.stringify({ from: this.self, ...told }));
        // The server has it when it answers this.
        await connection.flush();
        await sleep(restMs);
      } while (way.again);
    } catch (reason) {
      this.options.log.debug({ error: natsFault(reason) }, 'a hint did not get to the other pods');
    } finally {
      this.underWay.delete(key);
    }
  }

  /** The client keeps a subscription over breaks of its connection. */
  private subscribe({ connection }: Up): void {
    if (this.subscribed === connection) return;
    this.subscribed = connection;
    const { natsSubject, log } = this.options;
    connection.subscribe(natsSubject, {
      callback: (error, received) => {
        if (error === null) this.take(received.string());
        else
          log.error(
            { error: natsFault(error), subject: natsSubject },
            'hints of other pods do not come: let the user of NATS subscribe to the subject',
          );
      },
    });
  }

  private take(text: string): void {
    const { from, ...told } = parsed(text) ?? {};
    if (from === undefined || from === this.self) return;
    const { connection, subject, cause } = told;
    if (connection !== undefined && cause !== undefined) this.options.take({ connection, subject, cause });
  }
}

/** Undefined for what is no hint: of another version, or of somebody else. */
function parsed(text: string): Partial<z.output<typeof message>> | undefined {
  try {
    return message.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
