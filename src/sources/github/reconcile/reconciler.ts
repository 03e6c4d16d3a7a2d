import { epochNowMs } from '../../../clock.ts';
import { ScalerError } from '../../../errors.ts';
import type { Logger } from '../../../telemetry/log.ts';
import type { SourceMetrics } from '../../../telemetry/metrics.ts';
import type { GitHubFact, JobFact } from '../rules/job.ts';
import type { Corrected, Ledger, OpenJobs, Taken } from '../rules/ledger.ts';
import { isOf } from '../rules/repo-names.ts';
import type { GitHubApi } from '../upstream/api.ts';
import type { Scope } from '../upstream/github.ts';
import { mostUrgent, Pause, sweepsHeldUntilMs, verifyAfterMs, type Work } from './agenda.ts';
import { RepoCoverage } from './coverage.ts';
import type { Repo } from './directory.ts';
import { Interest } from './interest.ts';
import { Nap, realTimer, type SetTimer } from './nap.ts';
import { Redelivery } from './redelivery.ts';
import { RepoBook } from './repos.ts';
import { Lookups, RunReader, Sweeper } from './runs.ts';
import { OwnerList, TaskError, Tasks } from './tasks.ts';
import { Troubles, Warnings } from './troubles.ts';

/** How often the ledger is searched for silent jobs, at most. */
const lookEveryMs = 15_000;
/** A gate is verified once REST can no longer lag behind the webhook. */
const gateMs = 11_000;
/** An event this old may be a replay. The ledger does not count it before REST confirms it. */
const lateMs = 10 * 60_000;
/** Two pods that sweep within this time of each other see the same. */
const togetherMs = 1_000;
/** The wait after a fault of our own, so that it cannot become a busy loop. */
const faultMs = 60_000;

/** How often GitHub is asked. In seconds, as in the configuration. */
export interface ReconcileSettings {
  /** `owner/name` of the repositories that the connection is limited to. If empty, every one that GitHub lists. */
  readonly repos: readonly string[];
  /** A waiting job is verified when it was silent for this long. */
  readonly verifyQueuedSeconds: number;
  /** A running job is verified when it was silent for this long. */
  readonly verifyRunningSeconds: number;
  /** How often active repositories are swept. */
  readonly sweepSeconds: number;
  /** How often all repositories are listed and swept. */
  readonly sweepAllSeconds: number;
  /** How often failed deliveries are looked up. */
  readonly deliveriesSeconds: number;
}

export interface ReconcilerOptions {
  readonly api: GitHubApi;
  readonly ledger: Ledger;
  readonly settings: ReconcileSettings;
  readonly owner: string;
  readonly scope: Scope;
  readonly log: Logger;
  readonly metrics: Pick<SourceMetrics, 'corrected'>;
  /** Called when counts or coverage of a live subject may have changed. */
  readonly wake: (subjectKey: string, cause: 'webhook' | 'reconcile') => void;
  /** In ms since 1970 by our clock. */
  readonly now?: () => number;
  readonly setTimer?: SetTimer;
  /** In [0, 1). */
  readonly random?: () => number;
  /** With several pods. Without it, this pod does everything. */
  readonly pods?: {
    /** Whether this pod asks GitHub for all of them. */
    readonly asks: () => boolean;
    readonly swept: (name: string, startedAtMs: number) => void;
  };
}

/**
 * Heals the ledger by REST. It finds what webhooks lost, and verifies what they reported only when they fall silent. One
 * loop, one request at a time. It never throws. It waits for GitHub's limits without delaying an answer.
 */
export class Reconciler {
  readonly coverage: RepoCoverage;
  /** The open jobs, by any present or former name of a repository. */
  readonly jobs: OpenJobs = {
    counts: (name) => this.options.ledger.counts(name === undefined ? undefined : this.book.keyOf(name)),
  };
  private readonly options: ReconcilerOptions;
  private readonly now: () => number;
  private readonly book: RepoBook;
  private readonly interest = new Interest();
  private readonly lookups: Lookups;
  private readonly pause = new Pause();
  private readonly tasks: Tasks;
  private readonly troubles: Troubles;
  private readonly warnings: Warnings;
  private readonly nap: Nap;
  /** Aborted when everything has been read once, or will never be. */
  private readonly first = new AbortController();
  private readonly stopping = new AbortController();
  private readonly hasList: boolean;
  private loop: Promise<void> | undefined;

  constructor(options: ReconcilerOptions) {
    const { api, ledger, settings, owner, scope, log } = options;
    const { now = epochNowMs, random = Math.random } = options;
    const configured = settings.repos.map((repo) => repo.toLowerCase());
    this.options = options;
    this.now = now;
    this.hasList = scope !== 'ent' || configured.length > 0;
    this.nap = new Nap(now, options.setTimer ?? realTimer);
    this.troubles = new Troubles(log);
    this.warnings = new Warnings(log);
    const changed = (key: string): void => this.wake(key, 'reconcile');
    const book = new RepoBook({
      configured,
      isOurs: (name) => scope === 'ent' || isOf(owner, name),
      rekeyed: (from, to) => {
        ledger.move(from, to);
        changed(to);
      },
      renamed: (was, is) => log.info({ was, is }, 'a repository was renamed: both names count'),
      transferred: (was, is) =>
        log.warn({ was, is }, 'a repository was transferred to another owner: its jobs do not count here'),
    });
    const wanted = scope !== 'ent' && configured.length === 0;
    const list = new OwnerList({ api, wanted, now, random });
    const lookups = new Lookups({
      ledger,
      silence: () => this.silence(),
      everyMs: Math.min(lookEveryMs, Math.max(1000, settings.verifyQueuedSeconds * 100)),
      random,
      isMissing: (key) => book.ofKey(key)?.missing !== undefined,
    });
    const corrected = (key: string, correction: Corrected): void => this.corrected(key, correction);
    const runs = new RunReader({ api, ledger, book, now, corrected });
    this.tasks = new Tasks({
      api,
      ledger,
      sweepMs: settings.sweepSeconds * 1000,
      sweepAllMs: settings.sweepAllSeconds * 1000,
      book,
      list,
      interest: this.interest,
      lookups,
      runs,
      sweeper: new Sweeper({ api, ledger, book, runs, now }),
      redelivery: new Redelivery({ api, everyMs: settings.deliveriesSeconds * 1000, nowMs: now() }),
      pause: this.pause,
      now,
      random,
      changed,
      swept: (name, startedAtMs) => options.pods?.swept(name, startedAtMs),
      redelivers: () => options.pods?.asks() ?? true,
    });
    this.book = book;
    this.lookups = lookups;
    this.coverage = new RepoCoverage({
      book,
      owner,
      hasList: this.hasList,
      paused: () => this.pause.why(now()),
      heldUntilMs: () => sweepsHeldUntilMs(api.quota, now()),
      refusedAtMs: () => ledger.refusedAtMs,
      listError: () => list.error,
    });
  }

  start(): void {
    if (this.stopping.signal.aborted) return;
    this.loop ??= this.run();
  }

  /** A live subject is read. Its repositories (if none, all) are kept fresh for ten minutes more. */
  need(repos: readonly string[], maxStalenessMs: number | undefined): void {
    const nowMs = this.now();
    if (this.interest.need(repos, nowMs, maxStalenessMs)) this.nap.wakeBy(nowMs);
  }

  /** Another pod swept the repository (`owner/name`) `ageMs` ago. Its answers are available without asking GitHub. */
  sweptByOther(name: string, ageMs: number): void {
    const repo = this.book.get(name);
    const nowMs = this.now();
    if (repo === undefined || (repo.sweptAtMs ?? 0) >= nowMs - ageMs - togetherMs) return;
    repo.sweptByOther = true;
    this.nap.wakeBy(nowMs);
  }

  /** This pod begins or stops to ask GitHub. More may be due now. */
  podsChanged(): void {
    this.nap.wakeBy(this.now());
  }

  /** Takes a webhook's fact into the ledger, and wakes the subjects whose count it changes. */
  take(fact: GitHubFact, receivedAtMs: number): void {
    const { api, ledger } = this.options;
    const { installationId } = fact;
    if (installationId !== undefined) api.learnInstallation(ownerOf(fact.repo), installationId);
    const repo = this.book.openByEvent(fact.repo, fact.repoId);
    const key = repo?.key ?? fact.repo;
    // Most repositories keep their name. Spreading an object would cost more than the rest of the work on a webhook.
    const known = key === fact.repo ? fact : { ...fact, repo: key };
    const { refused } = ledger;
    const taken =
      known.kind === 'job' ? ledger.takeWebhook(known, receivedAtMs) : ledger.takeRun(known, receivedAtMs);
    this.noticed(known, repo, taken);
    if (taken.changed || ledger.refused > refused) this.wake(key, 'webhook');
  }

  /** Events that were missing have come. */
  wakeAll(): void {
    for (const subject of this.interest.all()) this.options.wake(subject, 'webhook');
  }

  /** The same repositories, each by one name. */
  distinct(names: readonly string[]): readonly string[] {
    if (names.length < 2) return names;
    return [...new Map(names.map((name) => [this.book.keyOf(name), name])).values()];
  }

  /** Wakes the subjects of a repository, by all its names. `*` stands for those of the whole owner. */
  private wake(key: string, cause: 'webhook' | 'reconcile'): void {
    const names = this.book.ofKey(key)?.names ?? [key];
    for (const subject of this.interest.holding(names)) this.options.wake(subject, cause);
  }

  private noticed(fact: GitHubFact, known: Repo | undefined, { unheard }: Taken): void {
    const nowMs = this.now();
    if (known) {
      known.lastEventAtMs = nowMs;
      if (!known.active) this.nap.wakeBy(nowMs);
    }
    const run = { repo: fact.repo, runId: fact.runId };
    if (fact.kind === 'run') {
      if (fact.status === 'requested') this.nap.wakeBy(this.lookups.unlessHeard(run, nowMs));
      return;
    }
    this.lookups.heard(run);
    // Before a repository's first sweep nothing can be lost: the sweep will find every job.
    const synced = known === undefined || known.sweptAtMs !== undefined;
    if (unheard && synced && !isSkipped(fact)) this.nap.wakeBy(this.lookups.soon(run, nowMs));
    if (fact.gated) this.nap.wakeBy(this.lookups.lookAt(nowMs + gateMs));
    if (fact.sinceMs !== undefined && nowMs - fact.sinceMs > lateMs)
      this.nap.wakeBy(this.lookups.lookAt(nowMs));
  }

  /** Resolves when the whole owner has been read once, when `signal` aborts, and on close. */
  firstSync(signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, this.first.signal]);
    return new Promise((resolve) => {
      if (over.aborted) resolve();
      else over.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async close(): Promise<void> {
    this.stopping.abort();
    this.nap.close();
    this.first.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    if (!this.hasList) this.first.abort();
    while (!this.stopping.signal.aborted) {
      try {
        await this.turn();
      } catch (reason) {
        const { message } = ScalerError.from(reason);
        this.options.log.error(
          { error: message },
          'reconciling met a fault of its own; it goes on in a minute',
        );
        await this.nap.until(this.now() + faultMs);
      }
    }
  }

  private async turn(): Promise<void> {
    const work = mostUrgent(this.tasks.outlook());
    if (work.kind === 'wait') {
      this.warnings.atRest();
      await this.nap.until(work.untilMs);
      return;
    }
    await this.attempt(work);
    this.afterwards();
  }

  private async attempt(work: Work): Promise<void> {
    const { signal } = this.stopping;
    try {
      const piece = await this.tasks.perform(work, signal);
      if (piece === undefined) return;
      this.pause.succeeded();
      this.troubles.over(piece);
      this.troubles.over(theLimit);
    } catch (reason) {
      if (signal.aborted) return;
      if (!(reason instanceof TaskError)) throw reason;
      this.failed(reason);
    }
  }

  private failed({ piece, error }: TaskError): void {
    const nowMs = this.now();
    this.warnings.atRest();
    this.pause.failed(error, nowMs, piece);
    if (error.retryAfterMs === undefined) {
      this.troubles.failed(piece, error);
      return;
    }
    // The message says how long, so each is a new one.
    this.troubles.failed(theLimit, error, theLimit);
    this.tellUnread(nowMs);
  }

  /** Subjects without a number yet must report why. */
  private tellUnread(nowMs: number): void {
    if (!this.book.firstDone) this.wake('*', 'reconcile');
    for (const name of this.interest.at(nowMs).named.keys())
      if (this.book.get(name)?.sweptAtMs === undefined) this.wake(this.book.keyOf(name), 'reconcile');
  }

  private afterwards(): void {
    this.warnings.refused(this.options.ledger.refused);
    this.warnings.missed(this.book.missingWanted());
    if (!this.book.firstDone) return;
    this.first.abort();
    this.warnings.busy(this.now(), this.tasks.shortestSweepMs);
  }

  private silence(): { queuedMs: number; runningMs: number } {
    const { api, ledger, settings } = this.options;
    const nowMs = this.now();
    const after = (seconds: number): number =>
      verifyAfterMs(seconds * 1000, ledger.openRuns, api.quota, nowMs);
    return { queuedMs: after(settings.verifyQueuedSeconds), runningMs: after(settings.verifyRunningSeconds) };
  }

  private corrected(key: string, { changed, opened, closed }: Corrected): void {
    const { metrics } = this.options;
    // A repository that was never swept has nothing to correct.
    if (this.book.ofKey(key)?.sweptAtMs !== undefined) {
      for (let i = 0; i < opened; i += 1) metrics.corrected('opened');
      for (let i = 0; i < closed; i += 1) metrics.corrected('closed');
    }
    if (changed) this.wake(key, 'reconcile');
  }
}

const theLimit = "GitHub's limits";

function ownerOf(repo: string): string {
  return repo.slice(0, repo.indexOf('/'));
}

/** A skipped job is completed without ever being queued, and has no labels. Nothing was lost. */
function isSkipped({ status, labels }: JobFact): boolean {
  return status === 'completed' && labels.length === 0;
}
