import { z } from 'zod';
import { epochNowMs } from '../../../clock.ts';
import type { Logger } from '../../../telemetry/log.ts';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';
import type { FailedDelivery, GitHubApi, OwnerRepos, RepoIdentity } from './api.ts';
import { AppAuth, tokenAuth } from './auth.ts';
import { Client, type Page } from './client.ts';
import { Runs } from './runs.ts';
import { id, listOf, repositoryShape, time } from './shapes.ts';
import { Wire } from './wire.ts';

export type GitHubAuth =
  | {
      readonly kind: 'app';
      /** The App's number, or its client ID. */
      readonly id: number | string;
      /**
       * The installation on the owner. By default GitHub names it. Not used in an enterprise, where each owner
       * has its own.
       */
      readonly installationId?: number | undefined;
      /** PEM. */
      readonly privateKey: string;
    }
  | { readonly kind: 'token'; readonly token: string };

export type Scope = 'org' | 'repo' | 'ent';

export interface GitHubApiOptions {
  readonly owner: string;
  readonly scope: Scope;
  /** `https://api.github.com`, `https://HOST/api/v3`, or `https://api.SUBDOMAIN.ghe.com`. */
  readonly apiUrl: string;
  readonly auth: GitHubAuth;
  /** For one request and its answer. */
  readonly requestTimeoutMs: number;
  readonly metrics: SourceMetrics;
  readonly log: Logger;
  /** Our clock, in ms since 1970. */
  readonly now?: () => number;
}

/** GitHub's REST API for one owner. Sends nothing yet. Throws for an invalid private key. */
export function createGitHubApi(options: GitHubApiOptions): GitHubApi {
  const { owner, scope, auth: given, log, now = epochNowMs } = options;
  const apiUrl = options.apiUrl.replace(/\/+$/, '');
  const wire = new Wire({ ...options, apiUrl, now });
  const installationId = given.kind === 'app' && scope !== 'ent' ? given.installationId : undefined;
  const auth =
    given.kind === 'app' ? new AppAuth(wire, { ...given, owner, installationId }) : tokenAuth(given.token);
  const client = new Client(wire, auth);
  const runs = new Runs(client, log);
  const repositories = new Repositories(client, log);
  const deliveries = new Deliveries(client, log);
  const ownInstallation = (signal: AbortSignal) =>
    scope === 'ent' ? Promise.resolve(undefined) : client.installationOf(owner, signal);
  return {
    get quota() {
      return wire.quota;
    },
    get clockOffsetMs() {
      return wire.clockOffsetMs;
    },
    repositories: (signal) => repositories.of(owner, scope, signal),
    openRuns: (repo, signal) => runs.open(repo, signal),
    jobsOf: (run, signal) => runs.jobsOf(run, signal),
    job: (ref, signal) => runs.job(ref, signal),
    learnInstallation: (of, installation) => auth.learnInstallation(of, installation),
    ...(auth.app && {
      failedDeliveries: async (sinceMs, signal) =>
        deliveries.failed(sinceMs, await ownInstallation(signal), signal),
      redeliver: (delivery, signal) => deliveries.redeliver(delivery, signal),
    }),
  };
}

/** At most 100,000 repositories. */
const maxRepoPages = 1_000;

type Repository = z.infer<typeof repositoryShape>;

/** The repositories of an owner. */
class Repositories {
  private readonly client: Client;
  private readonly schema: z.ZodType<Repository[]>;

  constructor(client: Client, log: Logger) {
    const members = listOf(repositoryShape, 'a repository', log);
    this.client = client;
    this.schema = z.union([
      members,
      z.object({ repositories: members }).transform(({ repositories }) => repositories),
    ]);
  }

  /** GitHub has no such list for an enterprise. */
  async of(owner: string, scope: Scope, signal: AbortSignal): Promise<OwnerRepos> {
    const repos = new Map<number, RepoIdentity>();
    const visible = new Set<number>();
    const prefix = `${owner.toLowerCase()}/`;
    for (const path of this.paths(owner, scope)) {
      const ask = {
        operation: 'repositories',
        as: { owner },
        path,
        query: path === '/user/repos' ? 'affiliation=owner&per_page=100' : 'per_page=100',
        schema: this.schema,
        about: {
          what: `the repositories of ${owner}`,
          permission: 'Metadata: read',
          missing: "check the connection's `owner` and `scope`",
        },
      };
      for await (const page of this.client.pages(ask, signal, maxRepoPages)) {
        for (const { id, name, canRun } of page.value) {
          if (!name.startsWith(prefix)) continue;
          visible.add(id);
          if (canRun) repos.set(id, { id, name });
        }
      }
    }
    return { repos: [...repos.values()], visible: visible.size };
  }

  private paths(owner: string, scope: Scope): string[] {
    if (scope === 'ent') return [];
    if (this.client.auth.app !== undefined) return ['/installation/repositories'];
    const name = encodeURIComponent(owner);
    if (scope === 'org') return [`/orgs/${name}/repos`];
    // The first lists only public ones. The second lists private ones too, but only those of the token's own user.
    return [`/users/${name}/repos`, '/user/repos'];
  }
}

/** At most 2,000 deliveries in a call. Sweeps find what failed before. */
const maxDeliveryPages = 20;
const events: ReadonlySet<string> = new Set(['workflow_job', 'workflow_run']);

const deliveryShape = z.object({
  // Text if it is long: see readJson.
  id: z.union([id.transform(String), z.string().regex(/^\d+$/)]),
  guid: z.string().min(1),
  delivered_at: time,
  event: z.string(),
  /** 0 or absent if the receiver did not answer. */
  status_code: z.int().catch(0),
  installation_id: z.int().nullish().catch(undefined),
});
type DeliveryShape = z.infer<typeof deliveryShape>;

/** GitHub's deliveries to the App's webhook. */
class Deliveries {
  private readonly client: Client;
  private readonly ask;

  constructor(client: Client, log: Logger) {
    this.client = client;
    this.ask = {
      operation: 'deliveries',
      as: 'app' as const,
      path: '/app/hook/deliveries',
      schema: listOf(deliveryShape, 'a delivery', log),
      about: { what: "the App's deliveries", missing: "check that the App's webhook is active" },
    };
  }

  /**
   * The deliveries since `sinceMs` (GitHub's clock) that have never succeeded, the newest of each event. All deliveries
   * are read. GitHub's filter `status=failure` may not find those without an answer, which have the status code 0.
   * @param installationId the installation whose deliveries count. Undefined: all of the App's
   */
  async failed(
    sinceMs: number,
    installationId: number | undefined,
    signal: AbortSignal,
  ): Promise<FailedDelivery[]> {
    const failed = new Map<string, FailedDelivery>();
    const succeeded = new Set<string>();
    let query: string | undefined = 'per_page=100';
    for (let pages = 0; pages < maxDeliveryPages && query !== undefined; pages += 1) {
      // Later pages begin at a delivery, so their addresses change each time.
      const ask = { ...this.ask, query, once: pages > 0 };
      const page: Page<DeliveryShape[]> = await this.client.page(ask, signal);
      const recent = page.value.filter(({ delivered_at: atMs }) => atMs === undefined || atMs >= sinceMs);
      for (const delivery of recent) {
        if (concerns(delivery, installationId)) take(delivery, failed, succeeded);
      }
      query = recent.length < page.value.length ? undefined : page.next;
    }
    return [...failed.values()].filter(({ guid }) => !succeeded.has(guid));
  }

  async redeliver({ deliveryId }: FailedDelivery, signal: AbortSignal): Promise<void> {
    const { as, path: list, about } = this.ask;
    const path = `${list}/${encodeURIComponent(deliveryId)}/attempts`;
    await this.client.post({ operation: 'redeliver', as, path, about }, signal);
  }
}

function concerns(
  { event, installation_id: id }: DeliveryShape,
  installationId: number | undefined,
): boolean {
  return events.has(event) && (installationId === undefined || id === installationId);
}

/** The list is newest first, so a success comes before the failures that it repairs. */
function take(delivery: DeliveryShape, failed: Map<string, FailedDelivery>, succeeded: Set<string>): void {
  const { id: deliveryId, guid, status_code: code } = delivery;
  if (code >= 200 && code <= 299) succeeded.add(guid);
  else if (!failed.has(guid)) failed.set(guid, { deliveryId, guid });
}
