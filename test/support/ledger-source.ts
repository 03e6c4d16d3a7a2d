import { z } from 'zod';
import { ScalerError } from '../../src/errors.ts';
import { list, required } from '../../src/params/schema.ts';
import type { ConnectionDeps, Source } from '../../src/sources/source.ts';
import { about } from './about.ts';

interface LedgerParams {
  repos: readonly string[];
}

interface LedgerSnapshot {
  waiting: ReadonlyMap<string, number>;
  synced: ReadonlySet<string>;
}

/** A ledger of jobs by repository, filled by events and healed by a reconcile, like GitHub's. */
export class JobLedger {
  readonly waiting = new Map<string, number>();
  readonly synced = new Set<string>();
  reconciledAtMs = 0;
  /** The merged needs of the last read. */
  needed: string[][] = [];
  private deps: ConnectionDeps | undefined;
  private finishFirstSync: (() => void) | undefined;

  open(deps: ConnectionDeps): void {
    this.deps = deps;
  }

  /** A verified event: first a fact for the ledger, then "look now". */
  queued(repo: string): void {
    this.waiting.set(repo, (this.waiting.get(repo) ?? 0) + 1);
    this.deps?.wake('jobs', 'webhook');
  }

  reconcile(repos: readonly string[], nowMs: number): void {
    for (const repo of repos) this.synced.add(repo);
    this.reconciledAtMs = nowMs;
    this.finishFirstSync?.();
    this.deps?.wake('jobs', 'reconcile');
  }

  firstSync(): Promise<void> {
    return new Promise((resolve) => {
      this.finishFirstSync = resolve;
    });
  }
}

/** A source with a ledger: `true` before the number is known, a first sync, and merged needs. */
export const ledgerSource: Source<
  LedgerParams,
  JobLedger,
  LedgerSnapshot,
  undefined,
  { repos: readonly string[] }
> = {
  kind: 'ledger',
  about,
  params: { table: { repos: required(list({ doc: 'The repositories.' })) }, rules: [] },
  config: z.custom<JobLedger>(),
  connectionKeys: {},
  maxStalenessSeconds: 3_600,
  place: () => ({ addresses: ['ledger'] }),
  minReadMs: () => 0,
  connect(ledger, deps) {
    ledger.open(deps);
    return {
      subject: ({ repos }) => ({ key: 'jobs', hintNames: repos, need: { repos } }),
      async read(subjects, deliver) {
        for (const { key, needs } of subjects) {
          ledger.needed = needs.map(({ repos }) => [...repos]);
          const snapshot = { waiting: new Map(ledger.waiting), synced: new Set(ledger.synced) };
          deliver(key, { snapshot, confirmedAtMs: ledger.reconciledAtMs });
        }
      },
      firstSync: () => ledger.firstSync(),
      close: async () => {},
    };
  },
  fold: () => undefined,
  evaluate({ repos }, { snapshot: { waiting, synced } }) {
    const items = repos.reduce((sum, repo) => sum + (waiting.get(repo) ?? 0), 0);
    const missing = repos.filter((repo) => !synced.has(repo));
    if (missing.length === 0)
      return { kind: 'known', items, active: items > 0, detail: () => ({ repos: repos.length }) };
    const why = `the first sync of ${missing.join(', ')} is not done`;
    return items > 0
      ? { kind: 'active', why }
      : { kind: 'unknown', error: new ScalerError('unavailable', why) };
  },
  pace: () => ({ nextReadMs: 60_000, watch: false }),
  target: ({ repos }) => ({ perReplica: 1, activation: 0, nameParts: repos }),
};
