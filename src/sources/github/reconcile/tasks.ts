import { ScalerError } from '../../../errors.ts';
import { backoffMs } from '../../../retry.ts';
import type { RunRef } from '../rules/job.ts';
import type { Ledger } from '../rules/ledger.ts';
import type { GitHubApi, OwnerRepos } from '../upstream/api.ts';
import { isNotFound } from '../upstream/errors.ts';
import { goodSinceMs, type Outlook, type Pause, stretched, sweepsHeldUntilMs, type Work } from './agenda.ts';
import type { Repo } from './directory.ts';
import type { Interest } from './interest.ts';
import type { Redelivery } from './redelivery.ts';
import type { RepoBook } from './repos.ts';
import { type Lookups, mostBackoffMs, type RunReader, type Sweeper } from './runs.ts';

const expireEveryMs = 60_000;
/** How often a list that shows nothing is read again, since somebody may give us access. */
const invisibleEveryMs = 60_000;
/** How often GitHub may be asked in vain about names that only a trigger knows: this many at once, and an hour. */
const unseenAtOnce = 60;
const unseenAnHour = 120;

export interface TasksOptions {
  readonly api: Pick<GitHubApi, 'quota' | 'clockOffsetMs'>;
  readonly ledger: Ledger;
  readonly sweepMs: number;
  readonly sweepAllMs: number;
  readonly book: RepoBook;
  readonly list: OwnerList;
  readonly interest: Interest;
  readonly lookups: Lookups;
  readonly runs: RunReader;
  readonly sweeper: Sweeper;
  readonly redelivery: Redelivery;
  readonly pause: Pause;
  readonly now: () => number;
  readonly random: () => number;
  /** Called with the ledger's key of a repository. `*` stands for the coverage of the whole owner. */
  readonly changed: (key: string) => void;
  /** A sweep of the repository (`owner/name`) is complete. It began at `startedAtMs`. */
  readonly swept: (name: string, startedAtMs: number) => void;
  /** Whether this pod requests redeliveries. One pod does it for all. */
  readonly redelivers: () => boolean;
}

/** The tasks, and their execution, one request at a time. */
export class Tasks {
  private readonly options: TasksOptions;
  private expiredAtMs: number;
  private deliveryFailures = 0;
  private shortestMs = Number.POSITIVE_INFINITY;
  private readonly unseen: Allowance;

  constructor(options: TasksOptions) {
    this.options = options;
    this.expiredAtMs = options.now();
    this.unseen = new Allowance(unseenAtOnce, 3_600_000 / unseenAnHour, this.expiredAtMs);
  }

  outlook(): Outlook {
    const { api, ledger, book, list, interest, lookups, redelivery, pause, now } = this.options;
    const nowMs = now();
    const { named, shortestNamedMs, ownerMs } = interest.at(nowMs);
    for (const name of named.keys()) book.openByTrigger(name);
    const withOpenJobs = new Set(ledger.repos());
    for (const key of withOpenJobs) if (!book.ofKey(key)) book.openByEvent(key);
    const activeEveryMs = Math.min(stretched(this.options.sweepMs, api.quota, nowMs), ownerMs);
    this.shortestMs = Math.min(activeEveryMs, shortestNamedMs);
    const allEveryMs = stretched(this.options.sweepAllMs, api.quota, nowMs);
    const emptyEveryMs = Math.min(activeEveryMs, book.nothingVisible ? invisibleEveryMs : activeEveryMs);
    const wasDone = book.firstDone;
    const cadence = { nowMs, named, withOpenJobs, activeEveryMs, allEveryMs, ownerEveryMs: ownerMs };
    const repos = book.survey(cadence);
    if (book.firstDone !== wasDone) this.options.changed('*');
    return {
      nowMs,
      pausedUntilMs: pause.untilMs,
      heldUntilMs: sweepsHeldUntilMs(api.quota, nowMs),
      unseenAtMs: this.unseen.nextAtMs(),
      verifyAtMs: lookups.nextAtMs(),
      deliveriesAtMs: this.options.redelivers() ? redelivery.nextAtMs : Number.POSITIVE_INFINITY,
      // For an owner without repositories, only the list can confirm anything.
      listAtMs: list.dueAtMs(book.size === 0 || book.nothingVisible ? emptyEveryMs : allEveryMs),
      listed: list.listed,
      repos,
    };
  }

  /** The shortest interval of any sweep, in ms. */
  get shortestSweepMs(): number {
    return this.shortestMs;
  }

  /** Throws TaskError. Returns what was read, or undefined if GitHub was not asked. */
  async perform(work: Work, signal: AbortSignal): Promise<string | undefined> {
    switch (work.kind) {
      case 'verify':
        return this.verify(signal);
      case 'deliveries':
        return this.redeliver(signal);
      case 'list':
        return this.takeList(signal);
      case 'sweep':
        return this.sweep(work, signal);
      case 'wait':
        return undefined;
    }
  }

  private async verify(signal: AbortSignal): Promise<string | undefined> {
    const { lookups, runs, book, now } = this.options;
    this.expire();
    const next = lookups.take(now());
    if (!next) return undefined;
    const { run, sinceMs } = next;
    try {
      await runs.read(run, signal, sinceMs);
    } catch (reason) {
      if (!isNotFound(reason)) {
        lookups.fail(run, now());
        throw within(reason, nameOf(run));
      }
      // The run is deleted, or its repository is no longer visible. A sweep shows which.
      const repo = book.ofKey(run.repo) ?? book.openByTrigger(run.repo);
      if (repo) repo.urgent = true;
    }
    lookups.done(run);
    return nameOf(run);
  }

  private async redeliver(signal: AbortSignal): Promise<string> {
    const { redelivery, now, random } = this.options;
    try {
      await redelivery.step(now(), signal);
      this.deliveryFailures = 0;
      return deliveries;
    } catch (reason) {
      this.deliveryFailures += 1;
      redelivery.postpone(now() + backoffMs(this.deliveryFailures, random(), mostBackoffMs));
      throw within(reason, deliveries);
    }
  }

  private async takeList(signal: AbortSignal): Promise<string> {
    const { list, book, changed } = this.options;
    const first = !list.listed;
    try {
      const { repos, askedAtMs } = await list.read(signal);
      book.list(repos, askedAtMs);
      if (first) changed('*');
      return theList;
    } catch (reason) {
      if (first) changed('*');
      throw within(reason, theList);
    }
  }

  private async sweep(
    { repo: key, sinceMs }: Extract<Work, { kind: 'sweep' }>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { sweeper, book, now, changed } = this.options;
    const repo = book.ofKey(key);
    if (repo === undefined) return undefined;
    const { name } = repo;
    const firstDone = book.firstDone;
    const unseen = book.isUnseen(name);
    try {
      const step = await sweeper.step(repo, signal, sinceMs);
      if (step.kind === 'underWay') return name;
      if (step.kind === 'complete') {
        book.swept(repo, step.startedAtMs, now());
        this.options.swept(repo.name, step.startedAtMs);
      } else {
        if (unseen) this.unseen.take(now());
        this.missed(repo, now());
      }
    } catch (reason) {
      if (unseen) this.unseen.take(now());
      this.failed(repo, ScalerError.from(reason, 'unavailable'));
      if (book.firstDone !== firstDone) changed('*');
      throw within(reason, name);
    }
    changed(key);
    if (book.firstDone !== firstDone) changed('*');
    return name;
  }

  private missed(repo: Repo, nowMs: number): void {
    const { book, list, ledger, runs } = this.options;
    // It turned out to be another name of a known repository.
    if (book.ofKey(repo.key) !== repo) return;
    book.missed(repo, nowMs);
    if (repo.listed && repo.missing?.times === 1) list.renew();
    if (!book.isGoneForCertain(repo)) return;
    for (const run of ledger.runsOf(repo.key)) runs.drop(run);
  }

  private failed(repo: Repo, error: ScalerError): void {
    const { book, now, random, changed } = this.options;
    // This is not the repository's fault. The pause says why.
    if (error.retryAfterMs !== undefined) return;
    const { message } = repo.error ?? {};
    const wasLeftOut = repo.leftOut;
    book.failed(repo, error, now());
    repo.retryAtMs = now() + backoffMs(repo.failures, random(), mostBackoffMs);
    const isNews = message !== error.message || repo.leftOut !== wasLeftOut;
    if (isNews && repo.sweptAtMs === undefined) changed(repo.key);
  }

  private expire(): void {
    const { ledger, api, now, changed } = this.options;
    const nowMs = now();
    if (nowMs - this.expiredAtMs < expireEveryMs) return;
    this.expiredAtMs = nowMs;
    const keys = [...ledger.repos()];
    if (ledger.expire(nowMs, api.clockOffsetMs)) for (const key of keys) changed(key);
  }
}

/** Allows some at once, and one more for each interval. All times in ms. */
class Allowance {
  private readonly most: number;
  private readonly everyMs: number;
  /** When the whole allowance is there again. */
  private fullAtMs: number;

  constructor(most: number, everyMs: number, nowMs: number) {
    this.most = most;
    this.everyMs = everyMs;
    this.fullAtMs = nowMs;
  }

  take(nowMs: number): void {
    this.fullAtMs = Math.max(this.fullAtMs, nowMs) + this.everyMs;
  }

  /** When the next one is allowed. In the past if now. */
  nextAtMs(): number {
    return this.fullAtMs - (this.most - 1) * this.everyMs;
  }
}

export interface OwnerListOptions {
  readonly api: Pick<GitHubApi, 'repositories'>;
  /** Whether GitHub has a list to read: not for an enterprise, and not if the repositories are configured. */
  readonly wanted: boolean;
  readonly now: () => number;
  readonly random: () => number;
}

/** The owner's repositories as GitHub lists them, and when to list them again. */
export class OwnerList {
  private readonly options: OwnerListOptions;
  private readAtMs: number | undefined;
  private everyMs = 0;
  private retryAtMs = 0;
  private failures = 0;
  private renewed = false;
  private lastError: ScalerError | undefined;

  constructor(options: OwnerListOptions) {
    this.options = options;
  }

  /** Whether the list has been read once, or does not exist. */
  get listed(): boolean {
    return this.readAtMs !== undefined || !this.options.wanted;
  }

  get error(): ScalerError | undefined {
    return this.lastError;
  }

  /** The list is wrong. It is read again soon. */
  renew(): void {
    this.renewed = true;
  }

  dueAtMs(everyMs: number): number {
    if (!this.options.wanted) return Number.POSITIVE_INFINITY;
    this.everyMs = everyMs;
    const wantedAtMs = this.renewed || this.readAtMs === undefined ? 0 : this.readAtMs + everyMs;
    return Math.max(this.retryAtMs, wantedAtMs);
  }

  /** Throws ScalerError. */
  async read(signal: AbortSignal): Promise<{ repos: OwnerRepos; askedAtMs: number }> {
    const { api, now, random } = this.options;
    const beganAtMs = now();
    const sinceMs = this.renewed ? beganAtMs : goodSinceMs(this.readAtMs, this.everyMs, beganAtMs);
    try {
      const repos = await api.repositories(signal, sinceMs);
      const { askedAtMs = beganAtMs } = repos;
      this.readAtMs = askedAtMs;
      this.renewed = false;
      this.failures = 0;
      this.lastError = undefined;
      return { repos, askedAtMs };
    } catch (reason) {
      const error = ScalerError.from(reason, 'unavailable');
      if (error.retryAfterMs === undefined) {
        this.lastError = error;
        this.failures += 1;
        this.retryAtMs = now() + backoffMs(this.failures, random(), mostBackoffMs);
      }
      throw error;
    }
  }
}

const deliveries = 'failed deliveries';
const theList = 'the list of repositories';

function nameOf({ repo, runId }: RunRef): string {
  return `run ${runId} of ${repo}`;
}

/** An error, and what could not be read. */
export class TaskError extends Error {
  readonly piece: string;
  readonly error: ScalerError;

  constructor(piece: string, error: ScalerError) {
    super(error.message);
    this.piece = piece;
    this.error = error;
  }
}

function within(reason: unknown, piece: string): TaskError {
  return new TaskError(piece, ScalerError.from(reason, 'unavailable'));
}
