import type { Oldest } from '../../source.ts';
import type { PartitionOffsets } from './snapshot.ts';

/*
 * How long a partition's oldest waiting record has waited, from the log ends of earlier reads. The record came between
 * the last read with the end before it and the first read with the end beyond it. Records themselves are never read.
 */

/** The most marks of a partition. With so many, what is left out costs an hour's lag a third of its age at most. */
export const mostMarks = 32;

/** A read that saw the end further on than the one before. */
interface Mark {
  readonly end: number;
  readonly seenAtMs: number;
}

/** When the waiting records of one partition were first seen. Never changed in place. */
export interface Arrivals {
  /** Oldest first, none of them at or before the first waiting record, the last of them at the end of the log. */
  readonly marks: readonly Mark[];
  /** Records before this offset were there already when the first mark was made. */
  readonly knownFrom: number;
}

/**
 * Takes a partition's new offsets into what is known of its arrivals; undefined where nothing waits. `then`: as the
 * read before had them. A new log, or one whose end has moved back, starts over. Pure.
 */
export function foldArrivals(
  known: Arrivals | undefined,
  then: PartitionOffsets | undefined,
  now: PartitionOffsets,
  takenAtMs: number,
): Arrivals | undefined {
  const { end } = now;
  const first = firstWaiting(now);
  if (first >= end) return undefined;
  const mark = { end, seenAtMs: takenAtMs };
  if (then === undefined || end < then.end) return { marks: [mark], knownFrom: end };
  if (known === undefined) return { marks: [mark], knownFrom: then.end };
  const passed = known.marks.filter((one) => one.end <= first);
  const left = known.marks.slice(passed.length);
  return {
    marks: end > then.end ? thinned([...left, mark], takenAtMs) : left,
    knownFrom: passed.at(-1)?.end ?? known.knownFrom,
  };
}

/**
 * Since when the oldest record has been waiting: never sooner than it came, and later by no more than the time between
 * two reads and what `mostMarks` costs. Without a read that saw the log before the record came, it is a bound.
 */
export function oldestOf({ marks, knownFrom }: Arrivals, now: PartitionOffsets): Oldest | undefined {
  const [mark] = marks;
  return mark && { sinceMs: mark.seenAtMs, atLeast: firstWaiting(now) < knownFrom };
}

/** The first record that nobody has committed. A commit of a log that is no more counts as none. */
function firstWaiting({
  logStart,
  end,
  highWatermark = end,
  committed = logStart,
}: PartitionOffsets): number {
  return committed > highWatermark ? logStart : Math.max(committed, logStart);
}

/**
 * Leaves out the mark whose records' age suffers least for it, in proportion. The first says how old the oldest record
 * is now, and the last is too young to be spared: they stay.
 */
function thinned(marks: readonly Mark[], nowMs: number): readonly Mark[] {
  if (marks.length <= mostMarks) return marks;
  let cheapest = 1;
  let leastLoss = Number.POSITIVE_INFINITY;
  for (let at = 1; at < marks.length - 1; at += 1) {
    const loss = lossWithout(marks, at, nowMs);
    if (loss >= leastLoss) continue;
    cheapest = at;
    leastLoss = loss;
  }
  return marks.toSpliced(cheapest, 1);
}

/** By which part of the age that is left the oldest records between two marks would be too young. */
function lossWithout(marks: readonly Mark[], at: number, nowMs: number): number {
  const before = marks[at - 1]?.seenAtMs ?? nowMs;
  const after = marks[at + 1]?.seenAtMs ?? nowMs;
  return (after - before) / (nowMs - after);
}
