import { expect, onTestFinished } from 'vitest';
import type { z } from 'zod';
import type { ScalerError } from '../../../src/errors.ts';
import { natsConfig } from '../../../src/sources/nats/config.ts';
import { nats } from '../../../src/sources/nats/index.ts';
import type { Activity, Answer, Trigger, TriggerStatus } from '../../../src/triggers/trigger.ts';
import { connectionOf, type Limits, LiveTriggers, referenceOf } from '../live-triggers.ts';
import { recordingLog } from '../recording-log.ts';

/** A NATS connection's settings as a user writes them. */
export type NatsInput = z.input<typeof natsConfig>;
export type Metadata = Record<string, string>;

/** Reads that do not keep a test waiting. */
const quickly = { activeReadMs: 100, requestTimeoutMs: 2_000 };
/** What is seen within a test, with these, the watch has seen. */
export const rarely = { reconcileSeconds: 3_600 };
/** For a trigger that nothing is read for by the clock. */
export const day = String(24 * 3600);

/** The product from trigger metadata to answers, over real servers; only gRPC is left out. Until the test is over. */
export function openNats(settings: NatsInput, limits: Partial<Limits> = {}): NatsTriggers {
  const opened = new NatsTriggers(settings, limits);
  onTestFinished(() => opened.close());
  return opened;
}

export class NatsTriggers {
  readonly log = recordingLog();
  readonly live: LiveTriggers;

  constructor(settings: NatsInput, limits: Partial<Limits> = {}) {
    const config = natsConfig.parse({ ...quickly, ...settings });
    this.live = new LiveTriggers([connectionOf('stream', nats, config)], {
      limits,
      log: this.log,
      random: Math.random,
    });
  }

  trigger(metadata: Metadata): Trigger {
    return this.live.trigger(referenceOf({ source: 'nats', ...metadata }));
  }

  async answer(metadata: Metadata): Promise<Answer> {
    return this.trigger(metadata).answer(new AbortController());
  }

  /** The number KEDA would get; rejects as the RPC would. */
  async value(metadata: Metadata): Promise<number> {
    const answer = await this.answer(metadata);
    if (answer.kind !== 'known') throw new Error(`not counted: ${answer.why}`);
    return answer.value;
  }

  /** The error KEDA would get, as `code: message`; '' where it gets an answer. */
  async refusal(metadata: Metadata): Promise<string> {
    return this.answer(metadata).then(
      () => '',
      (error: ScalerError) => `${error.code}: ${error.message}`,
    );
  }

  /** What a push stream of the trigger is told, from now on. */
  follow(metadata: Metadata): Activity[] {
    const told: Activity[] = [];
    this.trigger(metadata).follow((activity) => told.push(activity));
    return told;
  }

  status(metadata: Metadata): TriggerStatus | undefined {
    const { id } = this.trigger(metadata);
    return this.live.statuses().find((status) => status.id === id);
  }

  /** Requests of this name that the servers got. */
  async requests(operation: string): Promise<number> {
    const { values } = await this.live.metrics.sourceRequests.get();
    return sum(values.filter(({ labels }) => labels.operation === operation));
  }

  async reads(outcome: 'ok' | 'error' = 'ok'): Promise<number> {
    const { values } = await this.live.metrics.sourceReads.get();
    return sum(values.filter(({ labels }) => labels.outcome === outcome));
  }

  async wakes(cause: string): Promise<number> {
    const { values } = await this.live.metrics.wakes.get();
    return sum(values.filter(({ labels }) => labels.cause === cause));
  }

  async becomes(metadata: Metadata, value: number): Promise<void> {
    await expect.poll(() => this.value(metadata).catch(String), { interval: 20 }).toBe(value);
  }

  async refuses(metadata: Metadata, error: RegExp): Promise<void> {
    await expect.poll(() => this.refusal(metadata), { interval: 20 }).toMatch(error);
  }

  /** Resolves when nothing is read any more: all that is at rest is watched. */
  async comesToRest(): Promise<void> {
    let before = -1;
    await expect
      .poll(
        async () => {
          const now = await this.reads();
          const isStill = now === before;
          before = now;
          return isStill;
        },
        { interval: 1_500 },
      )
      .toBe(true);
  }

  close(): Promise<void> {
    return this.live.close();
  }
}

function sum(values: readonly { value: number }[]): number {
  return values.reduce((total, { value }) => total + value, 0);
}
