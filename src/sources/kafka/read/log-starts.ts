import type { LeaderOffsets } from './leader-offsets.ts';
import { noFaults, type Offsets } from './offsets.ts';
import { RecentMap } from './recent-map.ts';
import type { KnownLayout } from './topology.ts';

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
