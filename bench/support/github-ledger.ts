import type { GitHubParams } from '../../src/sources/github/params.ts';
import type { GitHubSnapshot } from '../../src/sources/github/rules/backlog.ts';
import { backlog, matches, runnerOf } from '../../src/sources/github/rules/backlog.ts';
import type { Job } from '../../src/sources/github/rules/job.ts';
import { Ledger } from '../../src/sources/github/rules/ledger.ts';
import { labelsFor, owner } from './github-pools.ts';

const jobsOfRun = 10;

export interface Shape {
  readonly jobs: number;
  readonly repos: readonly string[];
  readonly pools: readonly string[];
}

/** Open jobs, three of four still queued, spread evenly over repositories and pools. */
export function openJobs({ jobs, repos, pools }: Shape): Job[] {
  return Array.from({ length: jobs }, (_, index) => {
    const run = Math.floor(index / jobsOfRun);
    return {
      jobId: 34_000_000_000 + index,
      runId: 12_000_000_000 + run,
      runAttempt: 1,
      repo: repos[run % repos.length] ?? '',
      // Sorted, as they are when read from webhooks.
      labels: labelsFor(pools[(index + Math.floor(index / 1000)) % pools.length] ?? '').sort(),
      status: index % 4 === 0 ? 'in_progress' : 'queued',
      sinceMs: Date.now(),
      gated: false,
    };
  });
}

export function repositories(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${owner}/repo-${index}`);
}

export interface InProcess {
  /** For each job taken, in μs. */
  readonly takeMicros: number;
  /** Readings of all repositories, in ms each. */
  readonly ofAllMs: readonly number[];
  /** Readings of every repository by name. */
  readonly ofNamedMs: readonly number[];
  /** The same number, found by walking over every job. */
  readonly naiveMs: readonly number[];
}

/** Times the readings of a ledger in this process, and a scan for the same number. Both results must be equal. */
export function timeReadings(
  shape: Shape,
  { readings, scans }: { readings: number; scans: number },
): InProcess {
  const jobs = openJobs(shape);
  const ledger = new Ledger();
  const startedMs = performance.now();
  for (const job of jobs) ledger.takeWebhook(job, Date.now());
  const takeMicros = ((performance.now() - startedMs) * 1000) / jobs.length;
  const ofAll = snapshotOf(ledger, []);
  const ofNamed = snapshotOf(ledger, shape.repos);
  const triggers = shape.pools.map(paramsOf);
  for (const params of triggers) agree(itemsOf(params, ofAll), itemsOf(params, ofNamed), scan(jobs, params));
  const timed = (times: number, read: (params: GitHubParams) => void) =>
    Array.from({ length: times }, (_, index) => {
      const params = triggers[index % triggers.length];
      if (params === undefined) throw new Error('there are no triggers');
      const beganMs = performance.now();
      read(params);
      return performance.now() - beganMs;
    });
  return {
    takeMicros,
    ofAllMs: timed(readings, (params) => itemsOf(params, ofAll)),
    ofNamedMs: timed(readings, (params) => itemsOf(params, ofNamed)),
    naiveMs: timed(scans, (params) => scan(jobs, params)),
  };
}

function snapshotOf(jobs: Ledger, repos: readonly string[]): GitHubSnapshot {
  return { repos, jobs, covered: { kind: 'synced', confirmedAtMs: Date.now() } };
}

function paramsOf(pool: string): GitHubParams {
  return {
    repos: [],
    labels: [pool],
    noDefaultLabels: false,
    defaultLabels: ['self-hosted', 'linux', 'x64'],
    matchUnlabeledJobsWithUnlabeledRunners: false,
    targetWorkflowQueueLength: 1,
    activationTargetWorkflowQueueLength: 0,
    count: 'queued+running',
  };
}

function itemsOf(params: GitHubParams, snapshot: GitHubSnapshot): number {
  const reading = backlog(params, snapshot);
  return reading.kind === 'known' ? reading.items : Number.NaN;
}

function scan(jobs: readonly Job[], params: GitHubParams): number {
  const runner = runnerOf(params);
  let items = 0;
  for (const { status, labels } of jobs) {
    if ((status === 'queued' || status === 'in_progress') && matches(labels, runner)) items += 1;
  }
  return items;
}

function agree(...items: readonly number[]): void {
  if (new Set(items).size !== 1) throw new Error(`readings of the same jobs differ: ${items.join(', ')}`);
}
