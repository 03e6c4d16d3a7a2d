import type { Source } from '../source.ts';
import { backlog, conflict, leastStalenessSeconds, pace, target } from './backlog.ts';
import { type GitHubConfig, githubConfig, sendsSecretInPlaintext, webhookSecretsOf } from './config.ts';
import { connect } from './connection.ts';
import { githubConnectionKeys } from './connection-keys.ts';
import { type GitHubParams, githubParams } from './params.ts';
import { fullNames } from './repo-names.ts';
import type { GitHubNeed, GitHubSnapshot } from './snapshot.ts';
import { fact, owns } from './webhook.ts';

/** The jobs of GitHub Actions that wait for a runner, or run on one. */
export const github: Source<GitHubParams, GitHubConfig, GitHubSnapshot, undefined, GitHubNeed> = {
  kind: 'github',
  params: githubParams,
  maxStalenessSeconds: 3600,
  config: githubConfig,
  connectionKeys: githubConnectionKeys,
  place: ({ apiUrl, scope, owner, repos }) => ({
    apiUrl,
    scope,
    owner: owner.toLowerCase(),
    repos: fullNames(owner, repos ?? []),
  }),
  local: ['webhookSecret', 'webhookSecrets'],
  sendsSecretInPlaintext,
  webhooks: { secrets: webhookSecretsOf, owns, fact },
  minReadMs: () => 0,
  leastStalenessSeconds,
  conflict,
  connect,
  fold: () => undefined,
  evaluate: (params, { snapshot }) => backlog(params, snapshot),
  pace,
  target,
};
