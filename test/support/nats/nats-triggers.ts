import { expect, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { natsConfig } from '../../../src/sources/nats/config.ts';
import { nats } from '../../../src/sources/nats/index.ts';
import { connectionOf, type Limits } from '../live-triggers.ts';
import { type Metadata, SourceTriggers, sum } from '../source-triggers.ts';

/** The settings of a NATS connection, as a user writes them. */
export type NatsInput = z.input<typeof natsConfig>;
export type { Metadata } from '../source-triggers.ts';

/** Frequent reads, so that tests do not wait. */
const quickly = { activeReadMs: 100, requestTimeoutMs: 2_000 };
/** With these, a change noticed within a test was noticed by the watch. */
export const rarely = { reconcileSeconds: 3_600 };
/** For a trigger that is never read by the clock. */
export const day = String(24 * 3600);

/** The product from trigger metadata to answers, over real servers, until the end of the test. Only gRPC is left out. */
export function openNats(settings: NatsInput, limits: Partial<Limits> = {}): NatsTriggers {
  const opened = new NatsTriggers(settings, limits);
  onTestFinished(() => opened.close());
  return opened;
}

export class NatsTriggers extends SourceTriggers {
  constructor(settings: NatsInput, limits: Partial<Limits> = {}) {
    const config = natsConfig.parse({ ...quickly, ...settings });
    super('nats', [connectionOf('stream', nats, config)], limits);
  }

  /** How many requests of this name the servers got. */
  async requests(operation: string): Promise<number> {
    const { values } = await this.live.metrics.sourceRequests.get();
    return sum(values.filter(({ labels }) => labels.operation === operation));
  }

  async becomes(metadata: Metadata, value: number): Promise<void> {
    await expect.poll(() => this.value(metadata).catch(String), { interval: 20 }).toBe(value);
  }

  async refuses(metadata: Metadata, error: RegExp): Promise<void> {
    await expect.poll(() => this.refusal(metadata), { interval: 20 }).toMatch(error);
  }

  /** Resolves when nothing is read any longer, because everything at rest is watched. */
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
}
