import type { LeaderOffsets } from './leader-offsets.ts';
import type { Offsets } from './offsets.ts';
import { RecentMap } from './recent-map.ts';
import type { KnownLayout } from './topology.ts';

const idleMs = 300_000;
const mostTopics = 100_000;

interface Cached {
  readonly values: ReadonlyMap<number, number>;
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
  async of(topic: string, layout: KnownLayout, ends: ReadonlyMap<number, number>): Promise<Offsets> {
    const { leaders, now } = this.options;
    const cached = this.cache.get(topic);
    const current = cached && this.isCurrent(cached) ? cached : undefined;
    const partitions = partitionsWithout(current?.values, ends);
    if (current && partitions.length === 0) return { values: current.values, faults: new Map() };
    const answer = await leaders.ask({
      topic,
      partitions,
      leaders: layout.leaders,
      timestamp: 'logStart',
      isolationLevel: 'readUncommitted',
    });
    const values = new Map([...(current?.values ?? []), ...answer.values]);
    this.cache.set(topic, { values, takenAtMs: current?.takenAtMs ?? now() });
    return { values, faults: answer.faults };
  }

  /** As with layouts, all starts grow old together, so that they are asked for together. */
  private isCurrent({ takenAtMs }: Cached): boolean {
    const { now, reconcileMs } = this.options;
    return Math.floor(takenAtMs / reconcileMs) === Math.floor(now() / reconcileMs);
  }
}

function partitionsWithout(
  starts: ReadonlyMap<number, number> | undefined,
  ends: ReadonlyMap<number, number>,
): number[] {
  const missing: number[] = [];
  for (const [partition, end] of ends) {
    const start = starts?.get(partition);
    if (start === undefined || end < start) missing.push(partition);
  }
  return missing;
}
