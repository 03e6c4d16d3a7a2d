import type { ScalerError } from '../../../../errors.ts';
import type { IsolationLevel } from '../../rules/snapshot.ts';
import { type LeaderAnswer, type LeaderOffsets, noFaults, type Offsets } from './leader-offsets.ts';
import { RecentMap } from './recent-map.ts';
import type { KnownLayout, Topology } from './topology.ts';

/** From where to where a topic's logs reach, or why that is not known. */
export type TopicRange =
  | {
      readonly kind: 'read';
      readonly partitions: readonly number[];
      readonly starts: Offsets;
      readonly ends: Offsets;
    }
  | { readonly kind: 'failed'; readonly error: ScalerError };

export interface TopicRangesOptions {
  topology: Topology;
  leaders: LeaderOffsets;
  starts: LogStarts;
}

/** Reads logs' ends and starts, following leaders that have moved once. */
export class TopicRanges {
  private readonly options: TopicRangesOptions;

  constructor(options: TopicRangesOptions) {
    this.options = options;
  }

  /** @throws ScalerError when nobody can say where the topic is */
  async of(topic: string, isolationLevel: IsolationLevel): Promise<TopicRange> {
    const { topology, leaders } = this.options;
    const layout = await topology.layout(topic);
    if (layout.kind !== 'known') return failed(layout.error);
    const ask = (where: KnownLayout, partitions: readonly number[]) =>
      leaders.ask({ topic, partitions, leaders: where.leaders, timestamp: 'end', isolationLevel });

    const ends = await ask(layout, layout.partitions);
    if (ends.lostLeader || ends.stale.length > 0) topology.forget(topic);
    if (ends.stale.length === 0) return this.finish(topic, layout, ends);

    const moved = await topology.layout(topic);
    if (moved.kind !== 'known') return failed(moved.error);
    const again = await ask(moved, ends.stale);
    if (again.lostLeader || again.stale.length > 0) topology.forget(topic);
    return this.finish(topic, { ...moved, partitions: common(layout, moved) }, merge(ends, again));
  }

  /** The high watermarks of some partitions. Never rejects: where one cannot be read, its fault says why. */
  async highWatermarks(topic: string, partitions: readonly number[]): Promise<Offsets> {
    const { topology, leaders } = this.options;
    const layout = await topology.layout(topic);
    const where = layout.kind === 'known' ? layout.leaders : [];
    return leaders.ask({
      topic,
      partitions,
      leaders: where,
      timestamp: 'end',
      isolationLevel: 'readUncommitted',
    });
  }

  private async finish(topic: string, layout: KnownLayout, ends: Offsets): Promise<TopicRange> {
    const starts = await this.options.starts.of(topic, layout, ends.values);
    return { kind: 'read', partitions: layout.partitions, ends, starts };
  }
}

function failed(error: ScalerError): TopicRange {
  return { kind: 'failed', error };
}

/** A topic that was made anew may have other partitions; those that are new are for the next read. */
function common(before: KnownLayout, after: KnownLayout): readonly number[] {
  const still = new Set(after.partitions);
  return before.partitions.filter((partition) => still.has(partition));
}

/** The first answer, with what a second found out about its stale partitions. */
function merge(first: LeaderAnswer, second: LeaderAnswer): Offsets {
  const { length } = first.values.length < second.values.length ? second.values : first.values;
  const values = Array.from(
    { length },
    (_, partition) => second.values[partition] ?? first.values[partition],
  );
  const faults = new Map([...first.faults, ...second.faults]);
  for (const [partition, value] of second.values.entries()) if (value !== undefined) faults.delete(partition);
  return { values, faults };
}

const idleMs = 300_000;
const mostTopics = 100_000;

interface Cached {
  readonly starts: Offsets['values'];
  readonly takenAtMs: number;
}

export interface LogStartsOptions {
  leaders: LeaderOffsets;
  reconcileMs: number;
  now: () => number;
}

/**
 * Where logs start. That moves slowly, with retention, so it is kept for one reconcile; an end below its start
 * tells that the topic was made anew, and then it is asked again at once.
 */
export class LogStarts {
  private readonly options: LogStartsOptions;
  private readonly cache: RecentMap<string, Cached>;

  constructor(options: LogStartsOptions) {
    this.options = options;
    this.cache = new RecentMap({ idleMs, limit: mostTopics, now: options.now });
  }

  /** The starts of the partitions whose ends are given. Never rejects. */
  async of(topic: string, layout: KnownLayout, ends: Offsets['values']): Promise<Offsets> {
    const { leaders, now } = this.options;
    const cached = this.cache.get(topic);
    const current = cached && this.isCurrent(cached) ? cached : undefined;
    const partitions = partitionsWithout(current?.starts ?? [], ends);
    if (current && partitions.length === 0) return { values: current.starts, faults: noFaults };
    const answer = await leaders.ask({
      topic,
      partitions,
      leaders: layout.leaders,
      timestamp: 'logStart',
      isolationLevel: 'readUncommitted',
    });
    const starts = layout.leaders.map(
      (_, partition) => answer.values[partition] ?? current?.starts[partition],
    );
    this.cache.set(topic, { starts, takenAtMs: current?.takenAtMs ?? now() });
    return { values: starts, faults: answer.faults };
  }

  /** As with layouts, all starts grow old together, so that they are asked for together. */
  private isCurrent({ takenAtMs }: Cached): boolean {
    const { now, reconcileMs } = this.options;
    return Math.floor(takenAtMs / reconcileMs) === Math.floor(now() / reconcileMs);
  }
}

function partitionsWithout(starts: readonly (number | undefined)[], ends: Offsets['values']): number[] {
  const missing: number[] = [];
  for (const [partition, end] of ends.entries()) {
    if (end === undefined) continue;
    const start = starts[partition];
    if (start === undefined || end < start) missing.push(partition);
  }
  return missing;
}
