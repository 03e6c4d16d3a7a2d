import { z } from 'zod';
import { ScalerError } from '../../src/errors.ts';
import { decimal, required, text } from '../../src/params/schema.ts';
import type { Source } from '../../src/sources/source.ts';
import { about } from './about.ts';

interface HintParams {
  queue: string;
  perReplica: number;
}

export interface Counts {
  visible: number;
  inFlight: number;
}

/** A queue service that can only be polled, like SQS: its state, its faults, and a count of reads. */
export class QueueService {
  readonly queues = new Map<string, Counts>();
  readonly faults = new Map<string, ScalerError>();
  reads: string[][] = [];
  /** While set, reads wait for it. */
  hang: Promise<void> | undefined;
  open = 0;

  readsOf(queue: string): number {
    return this.reads.filter((keys) => keys.includes(queue)).length;
  }
}

/** The reads after a hint. The depth lags, so the queue is read again and again, at growing intervals. */
const tailMs = [1_000, 3_000, 10_000, 30_000, 60_000];
const idleReadMs = 30_000;

/**
 * A source with hints. Reads follow a hint, and activation needs `wasActive`: messages in flight keep a trigger active,
 * but never activate it.
 */
export const hintSource: Source<HintParams, QueueService, Counts, undefined> = {
  kind: 'hinted',
  about,
  params: {
    table: {
      queue: required(text({ doc: 'The queue.' })),
      perReplica: decimal({ doc: 'Messages a replica.', fallback: 5, above: 0 }),
    },
    rules: [],
  },
  config: z.custom<QueueService>(),
  connectionKeys: {},
  place: () => ({ addresses: ['queues'] }),
  minReadMs: () => 1_000,
  connect: (service) => {
    service.open += 1;
    return {
      subject: ({ queue }) => ({ key: queue, hintNames: [queue], need: undefined }),
      async read(subjects, deliver) {
        service.reads.push(subjects.map(({ key }) => key));
        await service.hang;
        for (const { key } of subjects) {
          const missing = new ScalerError('not_found', `queue ${key} does not exist`);
          const counts = service.queues.get(key);
          deliver(key, service.faults.get(key) ?? (counts ? { snapshot: { ...counts } } : missing));
        }
      },
      close: async () => {
        service.open -= 1;
      },
    };
  },
  fold: () => undefined,
  evaluate(_params, { snapshot: { visible, inFlight }, wasActive }) {
    const active = visible > 0 || (inFlight > 0 && wasActive !== false);
    return { kind: 'known', items: visible + inFlight, active, detail: () => ({ visible, inFlight }) };
  },
  pace(_config, { nowMs, lastHintAtMs, active }) {
    const sinceHintMs = nowMs - (lastHintAtMs ?? Number.NEGATIVE_INFINITY);
    const next = tailMs.find((afterMs) => afterMs > sinceHintMs + 1);
    const steadyMs = active ? 2_000 : idleReadMs;
    return {
      nextReadMs: next === undefined ? steadyMs : Math.min(next - sinceHintMs, steadyMs),
      watch: false,
    };
  },
  target: ({ queue, perReplica }) => ({ perReplica, activation: 0, nameParts: [queue] }),
};
