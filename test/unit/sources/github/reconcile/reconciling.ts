import { onTestFinished } from 'vitest';
import type { FakePods } from '../../../../../fakes/peers.ts';
import type { ReconcileSettings } from '../../../../../src/sources/github/reconcile/reconciler.ts';
import { Reconciler } from '../../../../../src/sources/github/reconcile/reconciler.ts';
import type { Job, RunFact } from '../../../../../src/sources/github/rules/job.ts';
import type { OpenJobs } from '../../../../../src/sources/github/rules/ledger.ts';
import { Ledger } from '../../../../../src/sources/github/rules/ledger.ts';
import type { GitHubApi } from '../../../../../src/sources/github/upstream/api.ts';
import { SharedGitHub } from '../../../../../src/sources/github/upstream/shared.ts';
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
  /** The repositories in GitHub's list. */
  readonly repos?: readonly string[];
  readonly scope?: 'org' | 'repo' | 'ent';
  readonly settings?: Partial<ReconcileSettings>;
  readonly maxJobs?: number;
  /** An App may list deliveries. A token may not. */
  readonly app?: boolean;
  /** Called before the first request. */
  readonly prepare?: (github: ScriptedGitHub) => void;
  /** One of several pods that share a GitHub and a clock. */
  readonly pod?: {
    readonly pods: FakePods;
    readonly github: ScriptedGitHub;
    readonly clock: VirtualClock;
    /** How far this pod's clock is ahead of the common one. */
    readonly aheadMs?: number;
  };
}

export type Reconciling = ReturnType<typeof reconciling>;

/** A started reconciler with a real ledger, in front of a scripted GitHub, in virtual time. */
export function reconciling(options: ReconcilingOptions = {}) {
  const { repos = ['acme/web'], scope = 'org', settings = {}, app = false, maxJobs } = options;
  const { pod } = options;
  const clock = pod?.clock ?? new VirtualClock();
  const github = pod?.github ?? new ScriptedGitHub(clock, repos);
  const now = (): number => clock.nowMs + (pod?.aheadMs ?? 0);
  options.prepare?.(github);
  const ledger = new Ledger(maxJobs === undefined ? {} : { maxJobs });
  const log = recordingLog();
  const corrections = { opened: 0, closed: 0 };
  const woken: string[] = [];
  const own = app ? github : withoutApp(github);
  const shared =
    pod &&
    new SharedGitHub({
      own: pod.aheadMs === undefined ? own : ahead(own, pod.aheadMs),
      peers: (duties) => pod.pods.join(duties),
      swept: (name, ageMs) => reconciler.sweptByOther(name, ageMs),
      changed: () => reconciler.podsChanged(),
      told() {},
      now,
    });
  const reconciler: Reconciler = new Reconciler({
    api: shared ?? own,
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
    now,
    setTimer: clock.setTimer,
    random: () => 0.5,
    ...(shared && {
      pods: {
        asks: () => shared.asks,
        swept: (name: string, startedAtMs: number) => shared.tellSwept(name, startedAtMs),
      },
    }),
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
    /** A webhook that arrives. */
    hear(job: Job): void {
      reconciler.take({ kind: 'job', ...job, ...identified(job.repo) }, now());
    },
    hearRun(fact: Omit<RunFact, 'kind'>): void {
      reconciler.take({ kind: 'run', ...fact, ...identified(fact.repo) }, clock.nowMs);
    },
    counted: (repo?: string) => sum(reconciler.jobs, repo),
    seconds: (seconds: number) => clock.advance(seconds * 1000),
  };
}

/** The ledger's count for the repository, or for all. */
function sum(jobs: OpenJobs, repo?: string): number {
  let open = 0;
  for (const { queued, running } of jobs.counts(repo)) open += queued + running;
  return open;
}

/** The same GitHub, as seen by a pod whose clock is ahead. */
function ahead(github: ScriptedGitHub, aheadMs: number): GitHubApi {
  const moved = async <T extends { readonly askedAtMs: number }>(answer: Promise<T>): Promise<T> => {
    const told = await answer;
    return { ...told, askedAtMs: told.askedAtMs + aheadMs };
  };
  return {
    quota: undefined,
    clockOffsetMs: -aheadMs,
    repositories: (signal) => github.repositories(signal),
    openRuns: (repo, signal) => moved(github.openRuns(repo, signal)),
    jobsOf: (run, signal) => moved(github.jobsOf(run, signal)),
    job: (ref, signal) => moved(github.job(ref, signal)),
    learnInstallation() {},
  };
}

function withoutApp(github: ScriptedGitHub): ScriptedGitHub {
  return Object.defineProperty(github, 'failedDeliveries', { value: undefined });
}
