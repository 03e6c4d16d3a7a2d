import { canonicalLabels } from './job.ts';
import type { GitHubParams } from './params.ts';

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
