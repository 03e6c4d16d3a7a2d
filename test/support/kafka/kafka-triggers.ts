import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { kafkaConfig } from '../../../src/sources/kafka/config.ts';
import { kafka } from '../../../src/sources/kafka/index.ts';
import type { Metrics } from '../../../src/telemetry/metrics.ts';
import { connectionOf, type Limits } from '../live-triggers.ts';
import { type Metadata, SourceTriggers, sum } from '../source-triggers.ts';

/** The settings of a Kafka connection, as a user writes them. */
export type KafkaSettings = z.input<typeof kafkaConfig>;

const restLimitMs = 180_000;

/** Frequent reads, so that tests do not wait. */
const quickly = { activeReadMs: 100, reconcileSeconds: 1 };

/** Live triggers over Kafka connections, until the end of the test. */
export function openKafka(settings: KafkaSettings, more: Partial<Limits> = {}): KafkaTriggers {
  const opened = new KafkaTriggers({ cluster: settings }, more);
  onTestFinished(() => opened.close());
  return opened;
}

export class KafkaTriggers extends SourceTriggers {
  constructor(connections: Record<string, KafkaSettings>, limits: Partial<Limits> = {}) {
    const configured = Object.entries(connections).map(([name, settings]) =>
      connectionOf(name, kafka, kafkaConfig.parse({ ...quickly, ...settings })),
    );
    super('kafka', configured, limits);
  }

  get metrics(): Metrics {
    return this.live.metrics;
  }

  async active(metadata: Metadata): Promise<boolean> {
    const answer = await this.answer(metadata);
    return answer.active;
  }

  /** How many requests of this name the brokers got, by outcome. */
  async requests(operation: string, outcome: 'ok' | 'error' = 'ok'): Promise<number> {
    const { values } = await this.metrics.sourceRequests.get();
    return sum(values.filter(({ labels }) => labels.operation === operation && labels.outcome === outcome));
  }

  /** Resolves when the trigger has this number. */
  async becomes(metadata: Metadata, value: number, timeout = 30_000): Promise<void> {
    await expect.poll(() => this.value(metadata), { timeout, interval: 25 }).toBe(value);
  }

  /** Resolves when the trigger's error matches. */
  async refuses(metadata: Metadata, error: RegExp, timeout = 30_000): Promise<void> {
    await expect.poll(() => this.refusal(metadata), { timeout, interval: 25 }).toMatch(error);
  }

  /** Resolves when everything is watched, and nothing is read any longer. */
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
}
