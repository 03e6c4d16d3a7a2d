import { monotonicMs } from '../../../clock.ts';
import { ScalerError } from '../../../errors.ts';
import { quote } from '../../../printable.ts';
import { type Detail, type Oldest, olderOf, type Pace, type Reading, type Target } from '../../source.ts';
import { type Working, WorkingRows } from '../../working.ts';
import type { GitHubConfig } from '../config.ts';
import type { GitHubParams } from '../params.ts';
import { canonicalLabels } from './job.ts';
import type { OpenJobs } from './ledger.ts';
import { isOf, namesOwner } from './repo-names.ts';

/** Whether repositories have been read from REST, so that their number is known. */
export type Covered =
  | { readonly kind: 'synced'; readonly confirmedAtMs: number }
  /** The others have been read; for these no number is known. `fault`: why; without one they are not there for us (404). */
  | {
      readonly kind: 'partial';
      readonly repos: readonly string[];
      readonly confirmedAtMs: number;
      readonly fault?: ScalerError;
    }
  /** Not read yet: the reason for it, and what to do. */
  | { readonly kind: 'unsynced'; readonly error: ScalerError };

/** What a reading is made from. A subject is a set of repositories of one owner. */
export interface GitHubSnapshot {
  /** `owner/name`, lower case. None: all of the owner's. */
  readonly repos: readonly string[];
  readonly jobs: OpenJobs;
  readonly covered: Covered;
}

/** What a trigger needs read: its repositories (`owner/name`, lower case). None: all of the owner's. */
export interface GitHubNeed {
  readonly repos: readonly string[];
}

/**
 * The trigger's reading of the open jobs. It differs from KEDA's (pkg/scalers/github_runner_scaler.go, v2.21) in
 * two ways. Active is strictly more than the activation; KEDA only wakes for a full `targetWorkflowQueueLength`. A repository
 * with a 404, or one that stays broken, is left out while the others have jobs, but never makes the answer zero.
 */
export function backlog(params: GitHubParams, snapshot: GitHubSnapshot): Reading {
  const { covered } = snapshot;
  const { oldest, ...sum } = sumUp(params, snapshot);
  const items = countOf(params, sum);
  const working = (): Working => workingOf(params, snapshot);
  const active = items > params.activationTargetWorkflowQueueLength;
  if (covered.kind === 'unsynced') {
    const { error } = covered;
    if (!active) return { kind: 'unknown', error };
    return { kind: 'active', why: `${items} jobs by webhooks so far; ${error.message}`, working };
  }
  const missing = covered.kind === 'partial' ? covered.repos : [];
  // Only a complete read can say that nothing waits.
  if (covered.kind === 'partial' && !active)
    return { kind: 'unknown', error: covered.fault ?? notThere(missing) };
  const age = oldest && {
    oldest: { sinceMs: monotonicMs(oldest.sinceMs), atLeast: oldest.atLeast || missing.length > 0 },
  };
  return { kind: 'known', items, active, ...age, detail: () => describe(sum, snapshot, missing), working };
}

/** What the HPA aims for; the metric's name comes from the owner and the runners' own labels. */
export function target(params: GitHubParams, { owner }: Pick<GitHubConfig, 'owner'>): Target {
  return {
    perReplica: params.targetWorkflowQueueLength,
    activation: params.activationTargetWorkflowQueueLength,
    nameParts: [owner.toLowerCase(), ...canonicalLabels(params.labels)],
  };
}

interface Sum {
  queued: number;
  running: number;
  /** Sets of labels that fit. */
  labelSets: number;
}

interface Waiting extends Sum {
  /** Of the queued ones, in ms since 1970. */
  oldest: Oldest | undefined;
}

function sumUp(params: GitHubParams, { repos, jobs }: GitHubSnapshot): Waiting {
  const runner = runnerOf(params);
  const sum: Waiting = { queued: 0, running: 0, labelSets: 0, oldest: undefined };
  for (const repo of repos.length === 0 ? [undefined] : repos) {
    for (const { labels, queued, running, oldest } of jobs.counts(repo)) {
      if (!matches(labels, runner)) continue;
      sum.queued += queued;
      sum.running += running;
      sum.labelSets += 1;
      sum.oldest = olderOf(sum.oldest, oldest);
    }
  }
  return sum;
}

function countOf({ count }: GitHubParams, { queued, running }: Pick<Sum, 'queued' | 'running'>): number {
  return count === 'queued' ? queued : queued + running;
}

/** The jobs by the labels that they ask for. */
function workingOf(params: GitHubParams, { repos, jobs, covered }: GitHubSnapshot): Working {
  const runner = runnerOf(params);
  const rows = new WorkingRows();
  for (const repo of repos.length === 0 ? [undefined] : repos) {
    for (const sum of jobs.counts(repo)) {
      const { labels, queued, running } = sum;
      const fits = matches(labels, runner);
      const counted = params.count === 'queued' ? 'queued jobs count' : 'queued and running jobs count';
      rows.add(
        {
          name: `${repo === undefined ? '' : `${repo} `}[${labels.join(', ')}]`,
          items: fits ? countOf(params, sum) : 0,
          because: fits ? counted : `skipped: ${whyNot(labels, runner)}`,
          said: { queued, running },
        },
        queued + running,
      );
    }
  }
  const missing = covered.kind === 'partial' ? covered.repos : [];
  return rows.working('sets of labels', [
    'jobs that wait for an approval or for another job are not queued yet',
    missing.length === 0 ? undefined : `not known, and left out: ${named(missing)}`,
  ]);
}

/** Why a runner takes no job with these labels. */
function whyNot(jobLabels: readonly string[], { labels }: Runner): string {
  if (jobLabels.length === 0) return 'asks for no label, and the trigger takes such jobs only without labels';
  const lacking = jobLabels.filter((label) => !labels.has(label));
  return `the trigger's runners have no label ${lacking.map(quote).join(', ')}`;
}

function notThere(repos: readonly string[]): ScalerError {
  return new ScalerError(
    'not_found',
    `GitHub answers 404 for ${named(repos)}: correct repos, or let the App or the token read them (Actions: read)`,
  );
}

function describe(sum: Sum, { repos }: GitHubSnapshot, missing: readonly string[]): Detail {
  const detail = { ...sum, repos: repos.length === 0 ? 'all' : named(repos) };
  return missing.length === 0 ? detail : { ...detail, missing: named(missing) };
}

const maxNamed = 10;

function named(repos: readonly string[]): string {
  const more = repos.length - maxNamed;
  const shown = repos.slice(0, maxNamed).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** A pool of runners that are alike. */
export interface Runner {
  /** Lower case. */
  readonly labels: ReadonlySet<string>;
  /** Whether it takes a job that asks for no label at all (`runs-on: {group: …}` alone). */
  readonly takesUnlabeled: boolean;
}

/** Params live as long as their trigger, and a trigger is evaluated at every event. */
const remembered = new WeakMap<GitHubParams, Runner>();

export function runnerOf(params: GitHubParams): Runner {
  const runner = remembered.get(params) ?? describeRunner(params);
  remembered.set(params, runner);
  return runner;
}

/**
 * Jobs without labels go by KEDA's rule (canRunnerMatchLabels, v2.21): they fit every runner, unless the trigger
 * matches them with unlabeled runners; then those only that were given no label of their own.
 */
function describeRunner(params: GitHubParams): Runner {
  const { labels, noDefaultLabels, defaultLabels, matchUnlabeledJobsWithUnlabeledRunners } = params;
  return {
    labels: new Set(canonicalLabels(noDefaultLabels ? labels : [...labels, ...defaultLabels])),
    takesUnlabeled: !matchUnlabeledJobsWithUnlabeledRunners || labels.length === 0,
  };
}

/** GitHub's rule: a runner takes a job when it has every label that the job asks for. `jobLabels` are canonical. */
export function matches(jobLabels: readonly string[], runner: Runner): boolean {
  if (jobLabels.length === 0) return runner.takesUnlabeled;
  return jobLabels.every((label) => runner.labels.has(label));
}

/** A trigger names repositories of its connection's owner: our credentials read nothing else for it. */
export function conflict({ repos }: GitHubParams, { owner, scope }: GitHubConfig): string | undefined {
  if (scope === 'ent') {
    const short = repos.find((repo) => !namesOwner(repo));
    return short === undefined
      ? undefined
      : `repos: must be owner/name on the connection of an enterprise, got ${quote(short)}`;
  }
  const foreign = repos.find((repo) => namesOwner(repo) && !isOf(owner, repo));
  return foreign === undefined
    ? undefined
    : `repos: ${quote(foreign)} does not belong to ${owner}; name the connection of its owner`;
}

/** Events wake the subject; this is only for age: when the last reconcile was is told with each reading. */
const readMs = 30_000;

export function pace(): Pace {
  return { nextReadMs: readMs, watch: false };
}

/** GitHub's limit for a user or a small organisation (REST, rate limits for the API). */
const requestsAnHour = 5_000;
/** What one trigger's limit on staleness may use of it. */
const share = 0.1;
/** Taken for an owner whose repositories are not named here: nobody knows how many there are. */
const supposedRepos = 100;
const leastSeconds = 60;

/**
 * Within a trigger's limit on staleness each of its repositories is read twice, a request each if nothing is open. More
 * often than that only where the operator has it read so anyway, by `sweepSeconds`.
 */
export function leastStalenessSeconds(
  { repos }: Pick<GitHubParams, 'repos'>,
  { repos: configured, sweepSeconds }: Pick<GitHubConfig, 'repos' | 'sweepSeconds'>,
): number {
  const swept = repos.length || configured?.length || supposedRepos;
  const affordable = (2 * 3_600 * swept) / (share * requestsAnHour);
  return Math.min(2 * sweepSeconds, Math.max(leastSeconds, Math.ceil(affordable)));
}
