import type { Source } from '../source.ts';
import { githubAbout } from './about.ts';
import {
  type GitHubConfig,
  githubConfig,
  githubConnectionKeys,
  sendsSecretInPlaintext,
  webhookSecretsOf,
} from './config.ts';
import { connect } from './connection.ts';
import { type GitHubParams, githubParams } from './params.ts';
import type { GitHubNeed, GitHubSnapshot } from './rules/backlog.ts';
import { backlog, conflict, leastStalenessSeconds, pace, shareJobs, target } from './rules/backlog.ts';
import { fullNames } from './rules/repo-names.ts';
import { doubts } from './rules/runner-environment.ts';
import { fact, owns, webhookHeaders } from './rules/webhook.ts';

/** Counts the jobs of GitHub Actions that wait for a runner, or run on one. */
export const github: Source<GitHubParams, GitHubConfig, GitHubSnapshot, undefined, GitHubNeed> = {
  kind: 'github',
  about: githubAbout,
  params: githubParams,
  threshold: 'targetWorkflowQueueLength',
  maxStalenessSeconds: 3600,
  // The limit of a user's token (docs.github.com, "Rate limits for the REST API"). An App has at least as much.
  requestsAnHour: 5000,
  config: githubConfig,
  files: { token: 'secret', privateKey: 'secret', webhookSecret: 'secret', webhookSecrets: 'secrets' },
  connectionKeys: githubConnectionKeys,
  place: ({ apiUrl, scope, owner, repos = [] }) =>
    owner === undefined
      ? { addresses: [] }
      : {
          addresses: [{ apiUrl, owner: owner.toLowerCase() }],
          part: { scope, repos: fullNames(owner, repos) },
        },
  local: ['webhookSecret', 'webhookSecrets'],
  sendsSecretInPlaintext,
  webhooks: { headers: webhookHeaders, secrets: webhookSecretsOf, owns, fact },
  minReadMs: () => 0,
  leastStalenessSeconds,
  conflict,
  doubts,
  shared: {
    items: 'jobs',
    so: 'each such job starts two runners; apply only one of them, or give their runners different labels',
    areCountedBy: shareJobs,
  },
  connect,
  fold: () => undefined,
  evaluate: (params, { snapshot, wasActive }) => backlog(params, snapshot, wasActive),
  pace,
  target,
};
