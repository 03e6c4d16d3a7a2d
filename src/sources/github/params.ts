import type { ParamsSchema } from '../../params/schema.ts';
import { choice, decimal, flag, list } from '../../params/schema.ts';
import { quote } from '../../printable.ts';
import { isRepoName } from './rules/repo-names.ts';

/**
 * The labels that KEDA assumes for every runner (github_runner_scaler.go, v2.21). A runner on Linux registers with
 * these.
 */
const defaultRunnerLabels: readonly string[] = ['self-hosted', 'linux', 'x64'];

/** The own keys of a GitHub trigger. Keys such as `owner` and `runnerScope` belong to the connection. */
export interface GitHubParams {
  readonly repos: readonly string[];
  readonly labels: readonly string[];
  readonly noDefaultLabels: boolean;
  readonly defaultLabels: readonly string[];
  readonly matchUnlabeledJobsWithUnlabeledRunners: boolean;
  readonly targetWorkflowQueueLength: number;
  readonly activationTargetWorkflowQueueLength: number;
  readonly count: 'queued+running' | 'queued';
}

/**
 * Names, defaults and rules of KEDA's `github-runner` trigger (pkg/scalers/github_runner_scaler.go, v2.21), and three
 * own keys.
 */
export const githubParams: ParamsSchema<GitHubParams> = {
  table: {
    repos: list({
      doc: 'As `name` or `owner/name`. Default: those of the connection.',
      most: { members: 200, memberCharacters: 140 },
    }),
    labels: list({
      doc: 'Of the runners, beside the default ones: [which jobs count](github.md#which-jobs-count).',
    }),
    noDefaultLabels: flag({
      doc: 'They have none (`--no-default-labels`, runner scale sets).',
    }),
    defaultLabels: list({
      doc: 'What runners get when they register.',
      fallback: defaultRunnerLabels,
    }),
    matchUnlabeledJobsWithUnlabeledRunners: flag({
      doc: 'Jobs without labels (`runs-on: {group: …}` alone) count only for triggers without `labels`.',
    }),
    targetWorkflowQueueLength: decimal({
      doc: 'Jobs per replica.',
      fallback: 1,
      above: 0,
    }),
    activationTargetWorkflowQueueLength: decimal({
      doc: 'It leaves zero above this.',
      fallback: 0,
      least: 0,
    }),
    count: choice({
      doc: '`queued` for a ScaledJob with strategy `accurate` or `eager`.',
      choices: ['queued+running', 'queued'],
      fallback: 'queued+running',
    }),
  },
  rules: [
    ({ repos }) => {
      const wrong = repos.find((repo) => !isRepoName(repo));
      return wrong === undefined
        ? undefined
        : `repos: must be names such as web or acme/web, got ${quote(wrong)}`;
    },
    // The default list is always the same object, so another object was given by the trigger.
    ({ noDefaultLabels, defaultLabels }) =>
      noDefaultLabels && defaultLabels !== defaultRunnerLabels
        ? 'noDefaultLabels and defaultLabels exclude each other: give one'
        : undefined,
  ],
};
