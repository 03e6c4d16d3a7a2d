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

/** How often the ledger is asked for jobs that are silent, at most. */
const lookEveryMs = 15_000;
/** A gate is verified when REST cannot lag behind the webhook any more. */
const gateMs = 11_000;
/** An event this old may be a replay, which the ledger does not count before REST has confirmed it. */
const lateMs = 10 * 60_000;
/** Two pods that have swept within this time of each other have seen the same. */
const togetherMs = 1_000;
/** After a fault of ours, so that it cannot become a busy loop. */
const faultMs = 60_000;

/** How often GitHub is asked; in seconds, as the configuration has them. */
export interface ReconcileSettings {
  /** `owner/name` of the repositories the connection is limited to. None: all that GitHub lists. */
  readonly repos: readonly string[];
  /** A job that waits is verified when it was silent for this long. */
  readonly verifyQueuedSeconds: number;
  /** A job that runs, likewise. */
  readonly verifyRunningSeconds: number;
  /** Active repositories are swept this often. */
  readonly sweepSeconds: number;
  /** All repositories are listed and swept this often. */
  readonly sweepAllSeconds: number;
  /** Deliveries that failed are looked for this often. */
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
  /** Counts or coverage of a subject that is read may have changed. */
  readonly wake: (subjectKey: string, cause: 'webhook' | 'reconcile') => void;
  /** ms since 1970 by our clock. */
  readonly now?: () => number;
  readonly setTimer?: SetTimer;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Where there are several pods. Absent: there is one, that does it all. */
  readonly pods?: {
    /** Whether this pod asks GitHub for all. */
    readonly asks: () => boolean;
    readonly swept: (name: string, startedAtMs: number) => void;
  };
}

/**
 * Heals the ledger by REST. It finds what webhooks lost, and verifies what they reported only when they fall silent. One
 * loop, one request at a time. It never throws, and waits for GitHub's limits without delaying an answer.
 */
export class Reconciler {
  readonly coverage: RepoCoverage;
  /** The open jobs, by any name that a repository has or had. */
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
  /** Aborted once all has been read, or nothing will be. */
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
      listError: () => list.error,
    });
  }

  start(): void {
    if (this.stopping.signal.aborted) return;
    this.loop ??= this.run();
  }

  /** A live subject is read: its repositories (none: all) are kept fresh for ten minutes more. */
  need(repos: readonly string[], maxStalenessMs: number | undefined): void {
    const nowMs = this.now();
    if (this.interest.need(repos, nowMs, maxStalenessMs)) this.nap.wakeBy(nowMs);
  }

  /** Another pod has swept the repository (`owner/name`), `ageMs` ago: the same can be had without asking GitHub. */
  sweptByOther(name: string, ageMs: number): void {
    const repo = this.book.get(name);
    const nowMs = this.now();
    if (repo === undefined || (repo.sweptAtMs ?? 0) >= nowMs - ageMs - togetherMs) return;
    repo.sweptByOther = true;
    this.nap.wakeBy(nowMs);
  }

  /** This pod asks GitHub from now on, or does so no longer: what there is to do may be more. */
  podsChanged(): void {
    this.nap.wakeBy(this.now());
  }

  /** Takes a webhook's fact into the ledger, and wakes whose count it changes. */
  take(fact: GitHubFact, receivedAtMs: number): void {
    const { api, ledger } = this.options;
    const { installationId } = fact;
    if (installationId !== undefined) api.learnInstallation(ownerOf(fact.repo), installationId);
    const repo = this.book.openByEvent(fact.repo, fact.repoId);
    const key = repo?.key ?? fact.repo;
    // Most repositories keep their name, and spreading an object costs more than all else that is done with a webhook.
    const known = key === fact.repo ? fact : { ...fact, repo: key };
    const taken =
      known.kind === 'job' ? ledger.takeWebhook(known, receivedAtMs) : ledger.takeRun(known, receivedAtMs);
    this.noticed(known, repo, taken);
    if (taken.changed) this.wake(key, 'webhook');
  }

  /** The same repositories, each by one name. */
  distinct(names: readonly string[]): readonly string[] {
    if (names.length < 2) return names;
    return [...new Map(names.map((name) => [this.book.keyOf(name), name])).values()];
  }

  /** Wakes the subjects of a repository, by all its names; `*`: those of all of the owner. */
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
    // Before a repository's first sweep nothing can have been lost: the sweep is about to find all there is.
    const synced = known === undefined || known.sweptAtMs !== undefined;
    if (unheard && synced && !isSkipped(fact)) this.nap.wakeBy(this.lookups.soon(run, nowMs));
    if (fact.gated) this.nap.wakeBy(this.lookups.lookAt(nowMs + gateMs));
    if (fact.sinceMs !== undefined && nowMs - fact.sinceMs > lateMs)
      this.nap.wakeBy(this.lookups.lookAt(nowMs));
  }

  /** Resolves when all of the owner has been read once, when `signal` aborts, and on close. */
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
    // Its message says for how long, and so is a new one each time.
    this.troubles.failed(theLimit, error, theLimit);
    this.tellUnread(nowMs);
  }

  /** Those who have no number yet are to say why. */
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
    // Nothing was wrong where nothing was known.
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

/** A skipped job is completed without ever having been queued, and has no labels: nothing was lost. */
function isSkipped({ status, labels }: JobFact): boolean {
  return status === 'completed' && labels.length === 0;
}
