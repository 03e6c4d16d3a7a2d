import { epochNowMs, monotonicMs } from '../../clock.ts';
import { ScalerError } from '../../errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { InboundEvent } from '../inbound.ts';
import type { Connection, ConnectionDeps, Deliver, Subject, SubjectRef } from '../source.ts';
import { type GitHubConfig, webhookSecretsOf } from './config.ts';
import type { GitHubParams } from './params.ts';
import { subjectKey } from './reconcile/interest.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import type { GitHubNeed, GitHubSnapshot } from './rules/backlog.ts';
import { isFact } from './rules/job.ts';
import { Ledger } from './rules/ledger.ts';
import { fullNames, isOf } from './rules/repo-names.ts';
import type { GitHubApi } from './upstream/api.ts';
import { createGitHubApi, type GitHubAuth } from './upstream/github.ts';
import { SharedGitHub } from './upstream/shared.ts';

/** Opens an owner, read by one App or token. The first sync begins at once, before any trigger needs it. */
export function connect(config: GitHubConfig, deps: ConnectionDeps): GitHubConnection {
  const { owner, scope, apiUrl, requestTimeoutMs } = config;
  const { log, metrics } = deps;
  const own = createGitHubApi({
    owner,
    scope,
    apiUrl,
    auth: authOf(config),
    requestTimeoutMs,
    metrics,
    log,
  });
  if (webhookSecretsOf(config).length === 0) warnOfNoWebhook(config, log);
  return new GitHubConnection(config, deps, own);
}

/** Events fill the ledger and wake subjects. Reads are answered from the ledger at once, and cost GitHub nothing. */
export class GitHubConnection implements Connection<GitHubParams, GitHubSnapshot, GitHubNeed> {
  private readonly config: GitHubConfig;
  private readonly deps: ConnectionDeps;
  private readonly reconciler: Reconciler;
  private readonly unfollow: () => void;
  /**
   * Whether the kept events have been replayed. During the replay a job may be queued long before the event of its end
   * comes.
   */
  private replayed = false;
  private readonly shared: SharedGitHub | undefined;

  constructor(config: GitHubConfig, deps: ConnectionDeps, own: GitHubApi) {
    const { owner, scope, repos = [], maxJobs } = config;
    this.config = config;
    this.deps = deps;
    const shared = deps.peers && this.share(own, deps.peers);
    this.shared = shared;
    this.reconciler = new Reconciler({
      api: shared ?? own,
      ledger: new Ledger({ maxJobs }),
      settings: { ...config, repos: fullNames(owner, repos) },
      owner,
      scope,
      log: deps.log,
      metrics: deps.metrics,
      wake: (key, cause) => {
        if (this.replayed) deps.wake(key, cause);
      },
      ...(shared && {
        pods: {
          asks: () => shared.asks,
          swept: (name: string, startedAtMs: number) => shared.tellSwept(name, startedAtMs),
        },
      }),
    });
    this.unfollow = deps.events.follow(
      (event) => this.take(event),
      () => {
        this.replayed = true;
        this.reconciler.wakeAll();
      },
    );
    this.reconciler.start();
  }

  subject({ repos }: GitHubParams): SubjectRef<GitHubNeed> {
    const { owner, scope, repos: own = [] } = this.config;
    // Webhooks cover the whole enterprise. Repositories in the configuration are only those to sweep.
    const meant = repos.length > 0 || scope === 'ent' ? repos : own;
    const need = fullNames(owner, meant);
    return { key: subjectKey(need), hintNames: need, need: { repos: need } };
  }

  async read(subjects: readonly Subject<GitHubNeed>[], deliver: Deliver<GitHubSnapshot>): Promise<void> {
    if (!this.replayed) {
      const reading = new ScalerError('unavailable', 'events that were kept are still being read');
      throw this.deps.events.unreadable?.() ?? reading;
    }
    const { reconciler } = this;
    const cutOff = this.deps.events.cutOff?.();
    for (const { key, needs, maxStalenessMs } of subjects) {
      // Equal keys name equal repositories.
      const repos = needs[0]?.repos ?? [];
      reconciler.need(repos, maxStalenessMs);
      const known = reconciler.coverage.of(repos);
      const covered =
        cutOff === undefined || known.kind === 'unsynced'
          ? known
          : ({ kind: 'cutOff', confirmedAtMs: known.confirmedAtMs, error: cutOff.error } as const);
      deliver(key, {
        snapshot: { repos: reconciler.distinct(repos), jobs: reconciler.jobs, covered },
        ...(covered.kind === 'unsynced' ? {} : { confirmedAtMs: monotonicMs(covered.confirmedAtMs) }),
      });
    }
  }

  firstSync(signal: AbortSignal): Promise<void> {
    return this.reconciler.firstSync(signal);
  }

  async close(): Promise<void> {
    this.unfollow();
    await this.reconciler.close();
    await this.shared?.close();
  }

  private share(own: GitHubApi, peers: NonNullable<ConnectionDeps['peers']>): SharedGitHub {
    return new SharedGitHub({
      own,
      peers,
      swept: (name, ageMs) => this.reconciler.sweptByOther(name, ageMs),
      changed: () => this.reconciler.podsChanged(),
      told: ({ remaining }) => this.deps.metrics.rateLimitRemaining(remaining),
      now: epochNowMs,
    });
  }

  private take({ fact, receivedAtMs, type, id }: InboundEvent): void {
    if (!isFact(fact)) {
      this.deps.log.debug({ type, id }, 'an event that holds no fact of this version is left out');
      return;
    }
    // The log keeps events by the connection's name. The configuration may have given that name to another owner before.
    if (this.config.scope !== 'ent' && !isOf(this.config.owner, fact.repo)) return;
    this.reconciler.take(fact, receivedAtMs);
  }
}

/** The configuration has exactly one of the two. */
function authOf({ app, token = '' }: GitHubConfig): GitHubAuth {
  return app === undefined ? { kind: 'token', token } : { kind: 'app', ...app };
}

function warnOfNoWebhook({ sweepSeconds }: GitHubConfig, log: Logger): void {
  log.warn({ sweepSeconds }, 'without a webhook secret jobs are only seen every sweepSeconds');
}
