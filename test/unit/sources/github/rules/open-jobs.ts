import { ScalerError } from '../../../../../src/errors.ts';
import type { Covered, GitHubSnapshot } from '../../../../../src/sources/github/rules/backlog.ts';
import type { OpenJobs } from '../../../../../src/sources/github/rules/ledger.ts';
import type { LabelCount } from '../../../../../src/sources/github/rules/tally.ts';

export const synced: Covered = { kind: 'synced', confirmedAtMs: 1 };
export const unsynced: Covered = {
  kind: 'unsynced',
  error: new ScalerError('unavailable', 'the first sync is not done'),
};

/** The label sets of each repository: `{ 'acme/web': { 'self-hosted gpu': [2, 1] } }` means 2 queued and 1 running. */
export type JobTable = Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>;

class TableOfJobs implements OpenJobs {
  private readonly table: JobTable;
  asked: (string | undefined)[] = [];

  constructor(table: JobTable) {
    this.table = table;
  }

  *counts(repo?: string): Iterable<LabelCount> {
    this.asked.push(repo);
    const tables = repo === undefined ? Object.values(this.table) : [this.table[repo] ?? {}];
    for (const [labels, [queued, running]] of tables.flatMap((sets) => Object.entries(sets))) {
      yield { labels: labels.split(' ').filter((label) => label !== ''), queued, running };
    }
  }
}

export function snapshotOf(
  table: JobTable,
  { repos = [], covered = synced }: { repos?: readonly string[]; covered?: Covered } = {},
): GitHubSnapshot & { jobs: TableOfJobs } {
  return { repos, jobs: new TableOfJobs(table), covered };
}

/** Two queued jobs for each set of labels. The older one is queued since this time of `performance.now()`. */
export function agedSnapshotOf(
  labelSets: readonly (readonly string[])[],
  sinceMs: readonly number[],
  atLeast: boolean,
  covered: Covered,
): GitHubSnapshot {
  const counts = labelSets.map((labels, i): LabelCount => {
    const ms = sinceMs[i];
    const oldest = ms === undefined ? undefined : { sinceMs: performance.timeOrigin + ms, atLeast };
    return { labels, queued: 2, running: 0, oldest };
  });
  return { repos: [], jobs: { counts: () => counts }, covered };
}
