import { epochNowMs } from '../../../clock.ts';
import type { Logger } from '../../../telemetry/log.ts';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';
import type { GitHubApi } from '../api.ts';
import { AppAuth } from './app-auth.ts';
import { tokenAuth } from './auth.ts';
import { Client } from './client.ts';
import { Deliveries } from './deliveries.ts';
import { Jobs } from './jobs.ts';
import { readPrivateKey } from './private-key.ts';
import { Repositories, type Scope } from './repositories.ts';
import { Runs } from './runs.ts';
import { Sender } from './sender.ts';

export type GitHubAuth =
  | {
      readonly kind: 'app';
      readonly id: number;
      /** On the owner; asked for where it is left out. In an enterprise each owner has its own: it is not used. */
      readonly installationId?: number | undefined;
      /** As GitHub gave it, or as people paste it: see readPrivateKey. */
      readonly privateKey: string;
    }
  | { readonly kind: 'token'; readonly token: string };

export interface GitHubApiOptions {
  readonly owner: string;
  readonly scope: Scope;
  /** `https://api.github.com`, `https://HOST/api/v3`, `https://api.SUBDOMAIN.ghe.com`. */
  readonly apiUrl: string;
  readonly auth: GitHubAuth;
  /** Of one request, its answer included. */
  readonly requestTimeoutMs: number;
  readonly metrics: SourceMetrics;
  readonly log: Logger;
  /** Our clock, in ms since 1970. */
  readonly now?: () => number;
}

/** Asks nothing yet. Throws ScalerError `invalid` for a private key that is none. */
export function createGitHubApi(options: GitHubApiOptions): GitHubApi {
  const { owner, scope, auth: given, requestTimeoutMs, metrics, log, now = epochNowMs } = options;
  const apiUrl = options.apiUrl.replace(/\/+$/, '');
  const app =
    given.kind === 'app' ? { id: given.id, privateKey: readPrivateKey(given.privateKey) } : undefined;
  const sender = new Sender({ apiUrl, app, requestTimeoutMs, metrics, log, now });
  const installationId = given.kind === 'app' && scope !== 'ent' ? given.installationId : undefined;
  const auth = given.kind === 'app' ? new AppAuth(sender, { owner, installationId }) : tokenAuth(given.token);
  const client = new Client(sender, auth);
  const runs = new Runs(client, log);
  const jobs = new Jobs(client, log);
  const repositories = new Repositories(client, log);

  const deliveries = new Deliveries(client, log);
  const ownInstallation = (signal: AbortSignal) =>
    scope === 'ent' ? Promise.resolve(undefined) : client.installationOf(owner, signal);

  return {
    get quota() {
      return sender.quota;
    },
    get clockOffsetMs() {
      return sender.clockOffsetMs;
    },
    repositories: (signal) => repositories.of(owner, scope, signal),
    openRuns: (repo, signal) => runs.open(repo, signal),
    jobsOf: (run, signal) => jobs.ofRun(run, signal),
    job: (ref, signal) => jobs.one(ref, signal),
    learnInstallation: (of, id) => auth.learnInstallation(of, id),
    ...(app && {
      failedDeliveries: async (sinceMs, signal) =>
        deliveries.failed(sinceMs, await ownInstallation(signal), signal),
      redeliver: (delivery, signal) => deliveries.redeliver(delivery, signal),
    }),
  };
}
