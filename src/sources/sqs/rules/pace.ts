import type { Pace, PaceView } from '../../source.ts';
import { type SqsHistory, type SqsSnapshot, settled, waiting } from './history.ts';

/** The least time between two reads of a queue that events cause, and the beat of the others. */
export const minReadMs = 1_000;
/** When a queue is read after a hint, besides at once: counts may be a minute late (GetQueueAttributes, SQS API). */
const tailMs = [0, 1_000, 3_000, 10_000, 30_000, 60_000];
/** What comes sooner than this is the read of now. */
const sameReadMs = minReadMs / 2;

export interface PaceConfig {
  /** The time between two reads of a queue that no trigger is active for, in seconds. */
  readonly idleReadSeconds: number;
  /** The time between two reads of a queue that a trigger is active for, in seconds. */
  readonly activeReadSeconds: number;
}

/** By the clock; while nothing is active also by what is left of the tail of the last hint, or a second after messages came up. */
export function pace(
  { idleReadSeconds, activeReadSeconds }: PaceConfig,
  { active, history, nowMs, lastHintAtMs }: PaceView<SqsSnapshot, SqsHistory>,
): Pace {
  if (active) return { nextReadMs: activeReadSeconds * 1000, watch: false };
  const byClockMs = idleReadSeconds * 1000;
  const byHintMs = lastHintAtMs === undefined ? byClockMs : untilTailMs(nowMs - lastHintAtMs);
  const confirmingMs = isNew(history) ? minReadMs : byClockMs;
  return { nextReadMs: Math.min(byClockMs, byHintMs, confirmingMs), watch: false };
}

function untilTailMs(sinceHintMs: number): number {
  const next = tailMs.find((offsetMs) => offsetMs > sinceHintMs + sameReadMs);
  if (next === undefined) return Number.POSITIVE_INFINITY;
  // The hint itself is still to be read for: it is one of many, which are spread.
  if (next === 0) return -sinceHintMs;
  // The hint was between two reads: else hints that keep coming would be read for twice a second.
  return Math.max(minReadMs, next - sinceHintMs);
}

/** Messages that one read has seen, and not yet two. */
function isNew(history: SqsHistory): boolean {
  const newest = history.reads.at(-1);
  return newest !== undefined && waiting(newest) > 0 && !settled(history, (read) => waiting(read) > 0);
}
