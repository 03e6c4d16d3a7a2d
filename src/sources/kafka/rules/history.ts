import type { Oldest } from '../../source.ts';
import { type Arrivals, foldArrivals, oldestOf } from './arrivals.ts';
import { addSample, type Sample } from './rates.ts';
import type { KafkaSnapshot, PartitionOffsets, TopicOffsets } from './snapshot.ts';

/** How long a subject's end must not have moved for the subject to be quiet. */
export const quietAfterMs = 15_000;

/** A read that finds the end moved adds one to a subject's unrest, and time takes one in so many ms. */
const calmEveryMs = 5000;
/** Restless is who has more unrest than this: after a dozen seconds of traffic without a pause. */
const restlessAbove = 10;
/** No more is remembered, so that a subject is calm again soon after its traffic has ended. */
const mostUnrest = restlessAbove + 1;

/** What is remembered of a topic. Arrays are indexed by partition and never changed in place. */
interface TopicHistory {
  /** How much of the topic the last read did not get: -1 the whole of it, else that many partitions. */
  readonly unread: number;
  /** The last offsets that were read. */
  readonly last: readonly (PartitionOffsets | undefined)[];
  /** Since when the partition has had lag at the commit it has now; undefined without lag or without a commit. */
  readonly stuckSinceMs: readonly (number | undefined)[];
  /** When its waiting records came; undefined where none waits. */
  readonly arrivals: readonly (Arrivals | undefined)[];
  readonly beyondEnd: BeyondEnd;
}

/** By partition: the group's commit lies beyond the end of the log, in the last read alone or in two in a row. */
export type BeyondEnd = ReadonlyMap<number, 'once' | 'again'>;

/** What one subject's snapshots have shown over time. Bounded by the subject's partitions, `mostMarks` and `maxSamples`. */
export interface KafkaHistory {
  readonly topics: ReadonlyMap<string, TopicHistory>;
  /** When an end last moved, or what can be read last changed. */
  readonly endMovedAtMs: number;
  /** How often reads found the end moved lately. */
  readonly unrest: number;
  /** Oldest first. */
  readonly samples: readonly Sample[];
}

/**
 * Takes a snapshot into the history. Pure: the old history stays as it was, and topics that did not move are
 * shared with the new one. A subject seen for the first time counts as having moved now.
 */
export function fold(
  history: KafkaHistory | undefined,
  snapshot: KafkaSnapshot,
  takenAtMs: number,
): KafkaHistory {
  const before = history?.topics ?? noTopics;
  let same = before.size === snapshot.topics.size;
  let endMoved = !same;
  let produced = 0;
  let consumed = 0;
  const steps: (readonly [string, TopicHistory])[] = [];
  for (const [topic, offsets] of snapshot.topics) {
    const known = before.get(topic);
    const step = foldTopic(known, offsets, takenAtMs);
    steps.push([topic, step.topic]);
    same &&= step.topic === known;
    endMoved ||= step.endMoved;
    produced += step.produced;
    consumed += step.consumed;
  }
  return {
    topics: same ? before : new Map(steps),
    endMovedAtMs: history === undefined || endMoved ? takenAtMs : history.endMovedAtMs,
    unrest: history === undefined ? 0 : unrestAfter(history, endMoved, takenAtMs),
    samples: addSample(history?.samples ?? [], { takenAtMs, produced, consumed }),
  };
}

/** Whether the subject's end has stood still for so long that it is worth watching. */
export function isQuiet({ endMovedAtMs }: KafkaHistory, nowMs: number): boolean {
  return nowMs - endMovedAtMs >= quietAfterMs;
}

/** Whether the end moved at every read: records come all the time, and inactive triggers keep up. */
export function isRestless({ unrest }: KafkaHistory): boolean {
  return unrest > restlessAbove;
}

function unrestAfter({ unrest, samples }: KafkaHistory, endMoved: boolean, takenAtMs: number): number {
  const sinceMs = takenAtMs - (samples.at(-1)?.takenAtMs ?? takenAtMs);
  const left = Math.max(0, unrest - sinceMs / calmEveryMs);
  return endMoved ? Math.min(mostUnrest, left + 1) : left;
}

/** Since when the partition has had lag while its commit stood still; undefined where that is not so. */
export function stuckSinceMs(history: KafkaHistory, topic: string, partition: number): number | undefined {
  return history.topics.get(topic)?.stuckSinceMs[partition];
}

/** Since when the partition's oldest waiting record has been waiting; undefined where none waits. */
export function oldestSince(history: KafkaHistory, topic: string, partition: number): Oldest | undefined {
  const { last, arrivals } = history.topics.get(topic) ?? {};
  const offsets = last?.[partition];
  const waiting = arrivals?.[partition];
  return offsets && waiting && oldestOf(waiting, offsets);
}

/** The topic's partitions whose commit lies beyond the end of the log. */
export function beyondEnd(history: KafkaHistory, topic: string): BeyondEnd {
  return history.topics.get(topic)?.beyondEnd ?? none;
}

/** Whether the next read decides what a commit beyond the end of the log means. */
export function isUndecided({ topics }: KafkaHistory): boolean {
  for (const { beyondEnd } of topics.values()) if (hasUndecided(beyondEnd)) return true;
  return false;
}

/** A warning about the subject, logged once, or undefined. */
export function caution({ topics }: KafkaHistory): string | undefined {
  const names: string[] = [];
  for (const [topic, { beyondEnd }] of topics) {
    for (const [partition, seen] of beyondEnd) if (seen === 'again') names.push(`${topic}/${partition}`);
  }
  if (names.length === 0) return undefined;
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  const where = names.slice(0, mostNames).join(', ');
  return `the group's commit lies beyond the end of the log, which was made anew or cut short: it counts as none, by offsetResetPolicy (${where}${more})`;
}

const mostNames = 3;
const none: BeyondEnd = new Map();
const noTopics: KafkaHistory['topics'] = new Map();

function hasUndecided(seen: BeyondEnd): boolean {
  if (seen.size === 0) return false;
  for (const often of seen.values()) if (often === 'once') return true;
  return false;
}

/** A topic's new history, and what moved on the way there. */
interface Step {
  topic: TopicHistory;
  endMoved: boolean;
  produced: number;
  consumed: number;
}

function foldTopic(known: TopicHistory | undefined, offsets: TopicOffsets, takenAtMs: number): Step {
  const unread = unreadOf(offsets);
  const partitions = offsets.kind === 'failed' ? [] : offsets.partitions;
  const moved = partitions.filter((now) => !equal(known?.last[now.partition], now));
  const beyondEnd = foldBeyondEnd(known, partitions, moved);
  if (known !== undefined && known.unread === unread && moved.length === 0) {
    const topic = known.beyondEnd === beyondEnd ? known : { ...known, beyondEnd };
    return { topic, endMoved: false, produced: 0, consumed: 0 };
  }
  // What was not read keeps what was known of it: one failed read must not restart a partition's clock.
  const count = Math.max(known?.last.length ?? 0, 1 + (partitions.at(-1)?.partition ?? -1));
  const last = resized(known?.last ?? [], count);
  const stuckSinceMs = resized(known?.stuckSinceMs ?? [], count);
  const arrivals = resized(known?.arrivals ?? [], count);
  let endMoved = known?.unread !== unread;
  let produced = 0;
  let consumed = 0;
  for (const now of moved) {
    const then = last[now.partition];
    endMoved ||= then?.end !== now.end;
    // A topic that was deleted and created again starts over, below where it was: nothing was un-produced.
    produced += Math.max(0, now.end - (then?.end ?? now.end));
    consumed += Math.max(0, (now.committed ?? 0) - (then?.committed ?? now.committed ?? 0));
    stuckSinceMs[now.partition] = stuckSince(then, now, stuckSinceMs[now.partition], takenAtMs);
    arrivals[now.partition] = foldArrivals(arrivals[now.partition], then, now, takenAtMs);
    last[now.partition] = now;
  }
  return { topic: { unread, last, stuckSinceMs, arrivals, beyondEnd }, endMoved, produced, consumed };
}

/** -1: the whole topic. */
function unreadOf(offsets: TopicOffsets): number {
  if (offsets.kind === 'failed') return -1;
  return offsets.kind === 'partial' ? offsets.faults.size : 0;
}

/** What was not read keeps what was known of it. */
function foldBeyondEnd(
  known: TopicHistory | undefined,
  partitions: readonly PartitionOffsets[],
  moved: readonly PartitionOffsets[],
): BeyondEnd {
  const before = known?.beyondEnd ?? none;
  if (!hasUndecided(before) && !moved.some((now) => before.has(now.partition) || isBeyondEnd(now)))
    return before;
  const after = new Map(before);
  for (const now of partitions) {
    const { partition } = now;
    after.delete(partition);
    if (isBeyondEnd(now) && !isOvertaken(known?.last[partition], now)) {
      after.set(partition, before.has(partition) ? 'again' : 'once');
    }
  }
  return after.size === 0 ? none : after;
}

function isBeyondEnd(offsets: PartitionOffsets): boolean {
  return offsets.committed !== undefined && offsets.committed > logEnd(offsets);
}

/**
 * Whether a commit beyond the end may belong to a record between the two requests of a read. Then the commit of the read
 * before lies within the log. Otherwise it is older than this end, and belongs to another log.
 */
function isOvertaken(then: PartitionOffsets | undefined, now: PartitionOffsets): boolean {
  return then !== undefined && (then.committed === undefined || then.committed <= logEnd(now));
}

function logEnd({ end, highWatermark = end }: PartitionOffsets): number {
  return highWatermark;
}

/**
 * Records between the group's commit and the end. Never negative: the commit is read after the end, so it can be
 * ahead of it. Records that retention has deleted are not waiting for anybody.
 */
export function committedLag({ logStart, end }: PartitionOffsets, committed: number): number {
  return Math.max(0, end - Math.max(committed, logStart));
}

/** The clock starts with the lag, not with the last commit: after a quiet night the first record is not stuck. */
function stuckSince(
  then: PartitionOffsets | undefined,
  now: PartitionOffsets,
  sinceMs: number | undefined,
  takenAtMs: number,
): number | undefined {
  if (now.committed === undefined || committedLag(now, now.committed) === 0) return undefined;
  return then?.committed === now.committed ? (sinceMs ?? takenAtMs) : takenAtMs;
}

/** Of exactly this length: a list that grows by itself takes room for sixteen more, in ten thousand subjects. */
function resized<T>(list: readonly T[], length: number): (T | undefined)[] {
  return Array.from({ length }, (_, at) => list[at]);
}

function equal(a: PartitionOffsets | undefined, b: PartitionOffsets): boolean {
  return (
    a !== undefined &&
    a.end === b.end &&
    a.committed === b.committed &&
    a.logStart === b.logStart &&
    a.highWatermark === b.highWatermark
  );
}
