import type { ScalerError } from '../../src/errors.ts';
import type { ConfiguredConnection } from '../../src/sources/source.ts';
import type { Activity } from '../../src/triggers/followers.ts';
import type { Answer } from '../../src/triggers/measurement.ts';
import type { Trigger } from '../../src/triggers/trigger.ts';
import type { TriggerStatus } from '../../src/triggers/trigger-status.ts';
import { type Limits, LiveTriggers, referenceOf } from './live-triggers.ts';
import { recordingLog } from './recording-log.ts';

export type Metadata = Record<string, string>;

/** The product from trigger metadata to answers, over real servers of one source. Only gRPC is left out. */
export class SourceTriggers {
  readonly log = recordingLog();
  readonly live: LiveTriggers;
  private readonly source: string;

  constructor(source: string, connections: readonly ConfiguredConnection[], limits: Partial<Limits>) {
    this.source = source;
    this.live = new LiveTriggers(connections, { limits, log: this.log, random: Math.random });
  }

  trigger(metadata: Metadata): Trigger {
    return this.live.trigger(referenceOf({ source: this.source, ...metadata }));
  }

  async answer(metadata: Metadata): Promise<Answer> {
    return this.trigger(metadata).answer(new AbortController());
  }

  /** The number that KEDA would get. Rejects as the RPC would. */
  async value(metadata: Metadata): Promise<number> {
    const answer = await this.answer(metadata);
    if (answer.kind !== 'known') throw new Error(`not counted: ${answer.why}`);
    return answer.value;
  }

  /** The error that KEDA would get, as `code: message`. '' without one. */
  async refusal(metadata: Metadata): Promise<string> {
    return this.answer(metadata).then(
      () => '',
      (error: ScalerError) => `${error.code}: ${error.message}`,
    );
  }

  /** What a push stream of the trigger gets from now on. */
  follow(metadata: Metadata): Activity[] {
    const told: Activity[] = [];
    this.trigger(metadata).follow((activity) => told.push(activity));
    return told;
  }

  status(metadata: Metadata): TriggerStatus | undefined {
    const { id } = this.trigger(metadata);
    return this.live.statuses().find((status) => status.id === id);
  }

  async reads(outcome: 'ok' | 'error' = 'ok'): Promise<number> {
    const { values } = await this.live.metrics.sourceReads.get();
    return sum(values.filter(({ labels }) => labels.outcome === outcome));
  }

  async wakes(cause: string): Promise<number> {
    const { values } = await this.live.metrics.wakes.get();
    return sum(values.filter(({ labels }) => labels.cause === cause));
  }

  close(): Promise<void> {
    return this.live.close();
  }
}

export function sum(values: readonly { value: number }[]): number {
  return values.reduce((total, { value }) => total + value, 0);
}
