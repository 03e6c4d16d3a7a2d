import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import type { z } from 'zod';
import type { ScalerError } from '../../../src/errors.ts';
import { kafkaConfig } from '../../../src/sources/kafka/config.ts';
import { kafka } from '../../../src/sources/kafka/index.ts';
import type { Metrics } from '../../../src/telemetry/metrics.ts';
import type { Activity, Answer, Trigger, TriggerStatus } from '../../../src/triggers/trigger.ts';
import { connectionOf, type Limits, LiveTriggers, referenceOf } from '../live-triggers.ts';
import { recordingLog } from '../recording-log.ts';

/** A Kafka connection's settings as a user writes them. */
export type KafkaSettings = z.input<typeof kafkaConfig>;
type Metadata = Record<string, string>;

const restLimitMs = 180_000;

/** Reads that do not keep a test waiting. */
const quickly = { activeReadMs: 100, reconcileSeconds: 1 };

/** Live triggers over Kafka connections, until the test is over. */
export function openKafka(settings: KafkaSettings, more: Partial<Limits> = {}): KafkaTriggers {
  const opened = new KafkaTriggers({ cluster: settings }, more);
  onTestFinished(() => opened.close());
  return opened;
}

/** The product from trigger metadata to answers, over real brokers; only gRPC is left out. */
export class KafkaTriggers {
  readonly log = recordingLog();
  readonly live: LiveTriggers;

  constructor(connections: Record<string, KafkaSettings>, limits: Partial<Limits> = {}) {
    const configured = Object.entries(connections).map(([name, settings]) =>
      connectionOf(name, kafka, kafkaConfig.parse({ ...quickly, ...settings })),
    );
    this.live = new LiveTriggers(configured, { limits, log: this.log, random: Math.random });
  }

  get metrics(): Metrics {
    return this.live.metrics;
  }

  trigger(metadata: Metadata): Trigger {
    return this.live.trigger(referenceOf({ source: 'kafka', ...metadata }));
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

  async active(metadata: Metadata): Promise<boolean> {
    const answer = await this.answer(metadata);
    return answer.active;
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

  /** Requests of this name that the brokers got, by outcome. */
  async requests(operation: string, outcome: 'ok' | 'error' = 'ok'): Promise<number> {
    const { values } = await this.metrics.sourceRequests.get();
    return sum(values.filter(({ labels }) => labels.operation === operation && labels.outcome === outcome));
  }

  async reads(outcome: 'ok' | 'error' = 'ok'): Promise<number> {
    const { values } = await this.metrics.sourceReads.get();
    return sum(values.filter(({ labels }) => labels.outcome === outcome));
  }

  async wakes(cause: string): Promise<number> {
    const { values } = await this.metrics.wakes.get();
    return sum(values.filter(({ labels }) => labels.cause === cause));
  }

  /** Resolves when the trigger's number is this one. */
  async becomes(metadata: Metadata, value: number, timeout = 30_000): Promise<void> {
    await expect.poll(() => this.value(metadata), { timeout, interval: 25 }).toBe(value);
  }

  /** Resolves when the trigger's error matches. */
  async refuses(metadata: Metadata, error: RegExp, timeout = 30_000): Promise<void> {
    await expect.poll(() => this.refusal(metadata), { timeout, interval: 25 }).toMatch(error);
  }

  /** Resolves when everything is watched and nothing is read any more. */
  async comesToRest(): Promise<void> {
    const limit = performance.now() + restLimitMs;
    for (let before = -1, now = 0; before !== now; ) {
      if (performance.now() > limit) throw new Error('the subjects do not come to rest');
      before = now;
      await sleep(1500);
      now = await this.reads();
    }
    expect(await this.requests('Fetch')).toBeGreaterThan(0);
  }

  close(): Promise<void> {
    return this.live.close();
  }
}

function sum(values: readonly { value: number }[]): number {
  return values.reduce((total, { value }) => total + value, 0);
}
