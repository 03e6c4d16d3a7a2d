import type { LeaderOffsets } from './leader-offsets.ts';
import type { Offsets } from './offsets.ts';
import { RecentMap } from './recent-map.ts';
import type { KnownLayout } from './topology.ts';

const idleMs = 300_000;
const mostTopics = 100_000;

interface Cached {
  /** By partition; undefined where it has not been asked for. A list is a third of a Map, of which there may be ten thousand. */
  readonly starts: readonly (number | undefined)[];
  readonly takenAtMs: number;
}

export interface LogStartsFound {
  /** By partition. */
  readonly starts: readonly (number | undefined)[];
  readonly faults: Offsets['faults'];
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
  async of(topic: string, layout: KnownLayout, ends: ReadonlyMap<number, number>): Promise<LogStartsFound> {
    const { leaders, now } = this.options;
    const cached = this.cache.get(topic);
    const current = cached && this.isCurrent(cached) ? cached : undefined;
    const partitions = partitionsWithout(current?.starts ?? [], ends);
    if (current && partitions.length === 0) return { starts: current.starts, faults: noFaults };
    const answer = await leaders.ask({
      topic,
      partitions,
      leaders: layout.leaders,
      timestamp: 'logStart',
      isolationLevel: 'readUncommitted',
    });
    const starts = [...(current?.starts ?? new Array(layout.leaders.length).fill(undefined))];
    for (const [partition, start] of answer.values) starts[partition] = start;
    this.cache.set(topic, { starts, takenAtMs: current?.takenAtMs ?? now() });
    return { starts, faults: answer.faults };
  }

  /** As with layouts, all starts grow old together, so that they are asked for together. */
  private isCurrent({ takenAtMs }: Cached): boolean {
    const { now, reconcileMs } = this.options;
    return Math.floor(takenAtMs / reconcileMs) === Math.floor(now() / reconcileMs);
  }
}

const noFaults: Offsets['faults'] = new Map();

function partitionsWithout(
  starts: readonly (number | undefined)[],
  ends: ReadonlyMap<number, number>,
): number[] {
  const missing: number[] = [];
  for (const [partition, end] of ends) {
    const start = starts[partition];
    if (start === undefined || end < start) missing.push(partition);
  }
  return missing;
}
