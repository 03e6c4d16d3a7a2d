import type { Oldest } from '../../source.ts';
import { countedAs, type JobRecord, queuedSinceMs } from './job-record.ts';

/** The open jobs with the same labels. */
export interface LabelCount {
  /** Lower case, each once, sorted. */
  readonly labels: readonly string[];
  readonly queued: number;
  readonly running: number;
  /** Since when the oldest queued job has been queued, in ms since 1970. Absent if unknown. */
  readonly oldest?: Oldest | undefined;
}

interface TimedCount extends LabelCount {
  /** Passed on from one count to the next, and changed in place. */
  readonly times: QueuedTimes;
}

type Counts = Map<string, TimedCount>;

/** The sums over the jobs that count, kept up to date as jobs change. A LabelCount is never changed in place. */
export class Tally {
  private readonly all: Counts = new Map();
  private readonly byRepo = new Map<string, Counts>();

  /** The counts of all repositories or of one, as they are when iterated. Empty ones are not kept. */
  counts(repo?: string): Iterable<LabelCount> {
    return { [Symbol.iterator]: () => this.countsOf(repo).values() };
  }

  /** The record of a job changed. Undefined stands for no record. Returns whether a count changed. */
  change(before: JobRecord | undefined, after: JobRecord | undefined): boolean {
    const same = before !== undefined && after !== undefined && countSame(before, after);
    if (same && queuedSinceMs(before) === queuedSinceMs(after)) return false;
    const taken = before !== undefined && this.add(before, -1);
    const given = after !== undefined && this.add(after, 1);
    return !same && (taken || given);
  }

  private countsOf(repo: string | undefined): ReadonlyMap<string, LabelCount> {
    return repo === undefined ? this.all : (this.byRepo.get(repo) ?? new Map());
  }

  private add(record: JobRecord, step: 1 | -1): boolean {
    if (countedAs(record) === undefined) return false;
    addTo(this.all, record, step);
    const ofRepo = this.byRepo.get(record.repo) ?? new Map();
    addTo(ofRepo, record, step);
    if (ofRepo.size > 0) this.byRepo.set(record.repo, ofRepo);
    else this.byRepo.delete(record.repo);
    return true;
  }
}

function countSame(a: JobRecord, b: JobRecord): boolean {
  return countedAs(a) === countedAs(b) && a.repo === b.repo && a.labelSet.key === b.labelSet.key;
}

function addTo(counts: Counts, record: JobRecord, step: 1 | -1): void {
  const { key, labels } = record.labelSet;
  const before = counts.get(key) ?? { labels, queued: 0, running: 0, times: new QueuedTimes() };
  const isQueued = countedAs(record) === 'queued';
  const queued = before.queued + (isQueued ? step : 0);
  const running = before.running + (isQueued ? 0 : step);
  if (queued === 0 && running === 0) {
    counts.delete(key);
    return;
  }
  const { times } = before;
  if (isQueued) times.add(queuedSinceMs(record), step);
  counts.set(key, { labels: before.labels, queued, running, times, oldest: times.oldestOf(queued) });
}

/**
 * Since when jobs have been queued. They may leave in any order. GitHub's times are in seconds, so many jobs share few
 * times.
 */
class QueuedTimes {
  /** How many jobs have been queued since each time, in ms since 1970. */
  private readonly jobs = new Map<number, number>();
  private timed = 0;
  private oldestMs: number | undefined;

  /** A job was queued (1) or left (-1). `sinceMs` is undefined if unknown. */
  add(sinceMs: number | undefined, step: 1 | -1): void {
    if (sinceMs === undefined) return;
    this.timed += step;
    const left = (this.jobs.get(sinceMs) ?? 0) + step;
    if (left > 0) {
      this.jobs.set(sinceMs, left);
      this.oldestMs = Math.min(this.oldestMs ?? sinceMs, sinceMs);
    } else {
      this.jobs.delete(sinceMs);
      if (sinceMs === this.oldestMs) this.oldestMs = leastOf(this.jobs.keys());
    }
  }

  /** The oldest of this many queued jobs, in ms since 1970. A job of unknown age may be older. */
  oldestOf(queued: number): Oldest | undefined {
    return this.oldestMs === undefined ? undefined : { sinceMs: this.oldestMs, atLeast: this.timed < queued };
  }
}

function leastOf(times: Iterable<number>): number | undefined {
  let least: number | undefined;
  for (const ms of times) if (least === undefined || ms < least) least = ms;
  return least;
}
