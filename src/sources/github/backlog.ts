import { ScalerError } from '../../errors.ts';
import type { Detail, Reading, Target } from '../source.ts';
import type { GitHubConfig } from './config.ts';
import { canonicalLabels } from './job.ts';
import { matches, runnerOf } from './labels.ts';
import type { GitHubParams } from './params.ts';
import type { GitHubSnapshot, LabelCount } from './snapshot.ts';

/**
 * The trigger's reading of the open jobs. It differs from KEDA's (pkg/scalers/github_runner_scaler.go, v2.21) in
 * this: active is strictly more than the activation, where KEDA only wakes for a full
 * `targetWorkflowQueueLength`; and a repository that GitHub answers 404 for is left out as long as the others
 * have jobs, but never makes the answer zero.
 */
export function backlog(params: GitHubParams, snapshot: GitHubSnapshot): Reading {
  const { covered } = snapshot;
  const sum = sumUp(params, snapshot);
  const items = params.count === 'queued' ? sum.queued : sum.queued + sum.running;
  const active = items > params.activationTargetWorkflowQueueLength;
  if (covered.kind === 'unsynced') {
    const { error } = covered;
    if (!active) return { kind: 'unknown', error };
    return { kind: 'active', why: `${items} jobs by webhooks so far; ${error.message}` };
  }
  const missing = covered.kind === 'missing' ? covered.repos : [];
  if (missing.length > 0 && !active) return { kind: 'unknown', error: notThere(missing) };
  return { kind: 'known', items, active, detail: () => describe(sum, snapshot, missing) };
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

function sumUp(params: GitHubParams, { repos, jobs }: GitHubSnapshot): Sum {
  const runner = runnerOf(params);
  const sum: Sum = { queued: 0, running: 0, labelSets: 0 };
  const add = (counts: Iterable<LabelCount>): void => {
    for (const { labels, queued, running } of counts) {
      if (!matches(labels, runner)) continue;
      sum.queued += queued;
      sum.running += running;
      sum.labelSets += 1;
    }
  };
  if (repos.length === 0) add(jobs.counts());
  else for (const repo of repos) add(jobs.counts(repo));
  return sum;
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
