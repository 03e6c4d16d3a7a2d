import { monotonicMs } from '../../../clock.ts';
import { ScalerError } from '../../../errors.ts';
import { quote } from '../../../printable.ts';
import { type Detail, type Oldest, olderOf, type Pace, type Reading, type Target } from '../../source.ts';
import { type Working, WorkingRows } from '../../working.ts';
import type { GitHubConfig } from '../config.ts';
import type { GitHubParams } from '../params.ts';
import { canonicalLabels } from './job.ts';
import type { OpenJobs } from './ledger.ts';
import { fullNames, isOf, namesOwner } from './repo-names.ts';

/** Whether REST has been read for the repositories, so that their number is known. */
export type Covered =
  | { readonly kind: 'synced'; readonly confirmedAtMs: number }
  /** Only the other repositories have been read. `fault` is why. Without it, GitHub answers 404 for these. */
  | {
      readonly kind: 'partial';
      readonly repos: readonly string[];
      readonly confirmedAtMs: number;
      readonly fault?: ScalerError;
    }
  /** Events that other pods receive are missing: any job may be over, and there may be others. */
  | { readonly kind: 'cutOff'; readonly confirmedAtMs: number; readonly error: ScalerError }
  /** Not read yet: why, and what to do. */
  | { readonly kind: 'unsynced'; readonly error: ScalerError };

/** What a reading is made from. A subject is a set of repositories of one owner. */
export interface GitHubSnapshot {
  /** `owner/name`, lower case. If empty, all of the owner's. */
  readonly repos: readonly string[];
  readonly jobs: OpenJobs;
  readonly covered: Covered;
}

/** The repositories that a trigger needs (`owner/name`, lower case). If empty, all of the owner's. */
export interface GitHubNeed {
  readonly repos: readonly string[];
}

/**
 * The trigger's reading of the open jobs. It differs from KEDA's (pkg/scalers/github_runner_scaler.go, v2.21) in two
 * ways. Active means strictly more than the activation, where KEDA only wakes for a full `targetWorkflowQueueLength`. A
 * repository with a 404, or one that stays broken, is left out while the others have jobs, but never makes the answer
 * zero. A pod that is cut off from the others keeps its last number. A webhook that it receives itself only wakes what is
 * inactive.
 */
export function backlog(
  params: GitHubParams,
  snapshot: GitHubSnapshot,
  wasActive?: boolean | undefined,
): Reading {
  const { covered } = snapshot;
  const { oldest, ...sum } = sumUp(params, snapshot);
  const items = countOf(params, sum);
  const working = (): Working => workingOf(params, snapshot);
  const active = items > params.activationTargetWorkflowQueueLength;
  if (covered.kind === 'unsynced' || covered.kind === 'cutOff') {
    const { error } = covered;
    if (!active || (covered.kind === 'cutOff' && wasActive === true)) return { kind: 'unknown', error };
    return { kind: 'active', why: `${items} jobs by webhooks so far; ${error.message}`, working };
  }
  const missing = covered.kind === 'partial' ? covered.repos : [];
  // Only a complete read can prove that nothing waits.
  if (covered.kind === 'partial' && !active)
    return { kind: 'unknown', error: covered.fault ?? notThere(missing) };
  const age = oldest && {
    oldest: { sinceMs: monotonicMs(oldest.sinceMs), atLeast: oldest.atLeast || missing.length > 0 },
  };
  return { kind: 'known', items, active, ...age, detail: () => describe(sum, snapshot, missing), working };
}

/** What the HPA aims for. The metric is named after the owner and the runners' own labels. */
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
  /** How many sets of labels fit. */
  labelSets: number;
}

interface Waiting extends Sum {
  /** When the oldest of the queued jobs was queued, in ms since 1970. */
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

/** The jobs by the labels that they require. */
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

/** A pool of identical runners. */
export interface Runner {
  /** Lower case. */
  readonly labels: ReadonlySet<string>;
  /** Whether it takes a job that requires no label at all (only `runs-on: {group: …}`). */
  readonly takesUnlabeled: boolean;
}

/** Kept because a trigger is evaluated at every event. Parameters live as long as their trigger. */
const remembered = new WeakMap<GitHubParams, Runner>();

export function runnerOf(params: GitHubParams): Runner {
  const runner = remembered.get(params) ?? describeRunner(params);
  remembered.set(params, runner);
  return runner;
}

/**
 * Jobs without labels follow KEDA's rule (canRunnerMatchLabels, v2.21). They fit every runner, unless the trigger
 * matches them with unlabeled runners. Then they fit only runners without own labels.
 */
function describeRunner(params: GitHubParams): Runner {
  const { labels, noDefaultLabels, defaultLabels, matchUnlabeledJobsWithUnlabeledRunners } = params;
  return {
    labels: new Set(canonicalLabels(noDefaultLabels ? labels : [...labels, ...defaultLabels])),
    takesUnlabeled: !matchUnlabeledJobsWithUnlabeledRunners || labels.length === 0,
  };
}

/** GitHub's rule: a runner takes a job if it has every label that the job requires. `jobLabels` are canonical. */
export function matches(jobLabels: readonly string[], runner: Runner): boolean {
  if (jobLabels.length === 0) return runner.takesUnlabeled;
  return jobLabels.every((label) => runner.labels.has(label));
}

/** A trigger may only name repositories of its connection's owner, because the credentials are the owner's. */
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

/**
 * Whether a job that asks for all labels of one trigger's runners fits the other's, too, in a repository of both. Pools
 * of which each has a label of its own are not meant, though a job without it would count in both.
 */
export function shareJobs(a: GitHubParams, b: GitHubParams, config: GitHubConfig | undefined): boolean {
  const [one, other] = [runnerOf(a), runnerOf(b)];
  if (!matches([...one.labels], other) && !matches([...other.labels], one)) return false;
  const [these, those] = [a, b].map(({ repos }) =>
    fullNames(config?.owner ?? '', repos.length === 0 ? (config?.repos ?? []) : repos),
  );
  // Without names they are all of the owner's.
  if (!these?.length || !those?.length) return true;
  // A name alone is of the connection's owner, which only a configuration tells.
  const isSame = (repo: string, named: string): boolean =>
    repo === named ||
    (repo.startsWith('/') && named.endsWith(repo)) ||
    (named.startsWith('/') && repo.endsWith(named));
  return these.some((repo) => those.some((named) => isSame(repo, named)));
}

/** Events wake the subject. These reads only renew its age: each reading says when the last reconcile was. */
const readMs = 30_000;

export function pace(): Pace {
  return { nextReadMs: readMs, watch: false };
}

/** GitHub's limit for a user or a small organization (docs.github.com, "Rate limits for the REST API"). */
const requestsAnHour = 5_000;
/** The most that one trigger's staleness limit may use of it. */
const share = 0.1;
/** Assumed when a trigger names no repositories: their number is unknown here. */
const supposedRepos = 100;
const leastSeconds = 60;

/**
 * Within a trigger's staleness limit each of its repositories is read twice, with one request each if nothing is open.
 * More often only if the operator has it read so anyway, by `sweepSeconds`.
 */
export function leastStalenessSeconds(
  { repos }: Pick<GitHubParams, 'repos'>,
  { repos: configured, sweepSeconds }: Pick<GitHubConfig, 'repos' | 'sweepSeconds'>,
): number {
  const swept = repos.length || configured?.length || supposedRepos;
  const affordable = (2 * 3_600 * swept) / (share * requestsAnHour);
  return Math.min(2 * sweepSeconds, Math.max(leastSeconds, Math.ceil(affordable)));
}
