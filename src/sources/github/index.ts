import type { Source } from '../source.ts';
import { backlog, conflict, pace, target } from './backlog.ts';
import { type GitHubConfig, githubConfig, sendsSecretInPlaintext, webhookSecretsOf } from './config.ts';
import { connect } from './connection.ts';
import { githubConnectionKeys } from './connection-keys.ts';
import { type GitHubParams, githubParams } from './params.ts';
import type { GitHubNeed, GitHubSnapshot } from './snapshot.ts';
import { fact, owns } from './webhook.ts';

/** The jobs of GitHub Actions that wait for a runner, or run on one. */
export const github: Source<GitHubParams, GitHubConfig, GitHubSnapshot, undefined, GitHubNeed> = {
  kind: 'github',
  params: githubParams,
  maxStalenessSeconds: 3600,
  config: githubConfig,
  connectionKeys: githubConnectionKeys,
  sendsSecretInPlaintext,
  webhooks: { secrets: webhookSecretsOf, owns, fact },
  minReadMs: () => 0,
  conflict,
  connect,
  fold: () => undefined,
  evaluate: (params, { snapshot }) => backlog(params, snapshot),
  pace,
  target,
};
