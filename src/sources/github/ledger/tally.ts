import type { LabelCount } from '../snapshot.ts';
import { countedAs, type JobRecord } from './record.ts';

type Counts = Map<string, LabelCount>;

/** The sums over the jobs that count, kept as jobs change. A LabelCount is never changed in place. */
export class Tally {
  private readonly all: Counts = new Map();
  private readonly byRepo = new Map<string, Counts>();

  /** The counts of all repositories or of one, as they are when they are iterated. Empty ones are not kept. */
  counts(repo?: string): Iterable<LabelCount> {
    return { [Symbol.iterator]: () => this.countsOf(repo).values() };
  }

  /** What is known of a job has become another; undefined where nothing is known. Tells whether a count changed. */
  change(before: JobRecord | undefined, after: JobRecord | undefined): boolean {
    if (before !== undefined && after !== undefined && countSame(before, after)) return false;
    const taken = before !== undefined && this.add(before, -1);
    const given = after !== undefined && this.add(after, 1);
    return taken || given;
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
  const before = counts.get(key) ?? { labels, queued: 0, running: 0 };
  const isQueued = countedAs(record) === 'queued';
  const queued = before.queued + (isQueued ? step : 0);
  const running = before.running + (isQueued ? 0 : step);
  if (queued === 0 && running === 0) counts.delete(key);
  else counts.set(key, { labels: before.labels, queued, running });
}
