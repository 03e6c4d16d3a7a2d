import { onTestFinished } from 'vitest';
import type { ReconcileSettings } from '../../../../../src/sources/github/reconcile/reconciler.ts';
import { Reconciler } from '../../../../../src/sources/github/reconcile/reconciler.ts';
import type { Job, RunFact } from '../../../../../src/sources/github/rules/job.ts';
import type { OpenJobs } from '../../../../../src/sources/github/rules/ledger.ts';
import { Ledger } from '../../../../../src/sources/github/rules/ledger.ts';
import { recordingLog } from '../../../../support/recording-log.ts';
import { ScriptedGitHub } from './scripted-github.ts';
import { VirtualClock } from './virtual-clock.ts';

const defaults: ReconcileSettings = {
  repos: [],
  verifyQueuedSeconds: 300,
  verifyRunningSeconds: 1800,
  sweepSeconds: 900,
  sweepAllSeconds: 21_600,
  deliveriesSeconds: 120,
};

export interface ReconcilingOptions {
  /** What GitHub lists. */
  readonly repos?: readonly string[];
  readonly scope?: 'org' | 'repo' | 'ent';
  readonly settings?: Partial<ReconcileSettings>;
  readonly maxJobs?: number;
  /** An App may ask for deliveries; a token may not. */
  readonly app?: boolean;
  /** Before the first request. */
  readonly prepare?: (github: ScriptedGitHub) => void;
}

export type Reconciling = ReturnType<typeof reconciling>;

/** A reconciler that has begun, with a real ledger, before a scripted GitHub, in virtual time. */
export function reconciling(options: ReconcilingOptions = {}) {
  const { repos = ['acme/web'], scope = 'org', settings = {}, app = false, maxJobs } = options;
  const clock = new VirtualClock();
  const github = new ScriptedGitHub(clock, repos);
  options.prepare?.(github);
  const ledger = new Ledger(maxJobs === undefined ? {} : { maxJobs });
  const log = recordingLog();
  const corrections = { opened: 0, closed: 0 };
  const woken: string[] = [];
  const reconciler = new Reconciler({
    api: app ? github : withoutApp(github),
    ledger,
    settings: { ...defaults, ...settings },
    owner: 'acme',
    scope,
    log,
    metrics: {
      corrected: (direction) => {
        corrections[direction] += 1;
      },
    },
    wake: (key, cause) => void woken.push(`${key} ${cause}`),
    now: clock.now,
    setTimer: clock.setTimer,
    random: () => 0.5,
  });
  reconciler.start();
  const identified = (repo: string) => ({ repoId: github.identityOf(repo).id });
  onTestFinished(() => reconciler.close());
  return {
    clock,
    github,
    ledger,
    log,
    corrections,
    woken,
    reconciler,
    coverage: reconciler.coverage,
    /** A webhook that was not lost. */
    hear(job: Job): void {
      reconciler.take({ kind: 'job', ...job, ...identified(job.repo) }, clock.nowMs);
    },
    hearRun(fact: Omit<RunFact, 'kind'>): void {
      reconciler.take({ kind: 'run', ...fact, ...identified(fact.repo) }, clock.nowMs);
    },
    counted: (repo?: string) => sum(reconciler.jobs, repo),
    seconds: (seconds: number) => clock.advance(seconds * 1000),
  };
}

/** What of the repository (of all) the ledger counts. */
function sum(jobs: OpenJobs, repo?: string): number {
  let open = 0;
  for (const { queued, running } of jobs.counts(repo)) open += queued + running;
  return open;
}

function withoutApp(github: ScriptedGitHub): ScriptedGitHub {
  return Object.defineProperty(github, 'failedDeliveries', { value: undefined });
}
