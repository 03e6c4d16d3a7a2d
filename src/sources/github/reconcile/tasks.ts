import { ScalerError } from '../../../errors.ts';
import { backoffMs } from '../../../retry.ts';
import type { RunRef } from '../rules/job.ts';
import type { GitHubApi } from '../upstream/api.ts';
import { isNotFound } from '../upstream/errors.ts';
import type { Outlook, Work } from './agenda.ts';
import type { Interest } from './interest.ts';
import type { ReconciledLedger } from './ledger-port.ts';
import type { Lookups } from './lookups.ts';
import type { Pause } from './pause.ts';
import type { Redelivery } from './redelivery.ts';
import type { Repo } from './repo.ts';
import type { RepoBook } from './repo-book.ts';
import type { RepoList } from './repo-list.ts';
import type { RunReader } from './run-reader.ts';
import { mostBackoffMs } from './settings.ts';
import { stretched, sweepsHeldUntilMs } from './stretch.ts';
import type { Sweeper } from './sweeper.ts';

const expireEveryMs = 60_000;
/** How often GitHub may be asked in vain about names that nobody but a trigger has heard of: so often at once, and an hour. */
const unseenAtOnce = 60;
const unseenAnHour = 120;

export interface TasksOptions {
  readonly api: Pick<GitHubApi, 'quota' | 'clockOffsetMs'>;
  readonly ledger: ReconciledLedger;
  readonly sweepMs: number;
  readonly sweepAllMs: number;
  readonly book: RepoBook;
  readonly list: RepoList;
  readonly interest: Interest;
  readonly lookups: Lookups;
  readonly runs: RunReader;
  readonly sweeper: Sweeper;
  readonly redelivery: Redelivery;
  readonly pause: Pause;
  readonly now: () => number;
  readonly random: () => number;
  readonly changed: (repo: string) => void;
}

/** What there is to do, and the doing of it, a request at a time. */
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
    for (const name of withOpenJobs) book.openByEvent(name);
    const activeEveryMs = Math.min(stretched(this.options.sweepMs, api.quota, nowMs), ownerMs);
    this.shortestMs = Math.min(activeEveryMs, shortestNamedMs);
    const allEveryMs = stretched(this.options.sweepAllMs, api.quota, nowMs);
    const repos = book.survey({ nowMs, named, withOpenJobs, activeEveryMs, allEveryMs });
    return {
      nowMs,
      pausedUntilMs: pause.untilMs,
      heldUntilMs: sweepsHeldUntilMs(api.quota, nowMs),
      unseenAtMs: this.unseen.nextAtMs(),
      verifyAtMs: lookups.nextAtMs(),
      deliveriesAtMs: redelivery.nextAtMs,
      // Of an owner without repositories only the list can confirm anything.
      listAtMs: list.dueAtMs(book.size === 0 ? activeEveryMs : allEveryMs),
      listed: list.listed,
      repos,
    };
  }

  /** The shortest interval in which anything is swept, in ms. */
  get shortestSweepMs(): number {
    return this.shortestMs;
  }

  /** Throws TaskError. Returns what was read, or undefined where GitHub was not asked. */
  async perform(work: Work, signal: AbortSignal): Promise<string | undefined> {
    switch (work.kind) {
      case 'verify':
        return this.verify(signal);
      case 'deliveries':
        return this.redeliver(signal);
      case 'list':
        return this.takeList(signal);
      case 'sweep':
        return this.sweep(this.options.book.open(work.repo), signal);
      case 'wait':
        return undefined;
    }
  }

  private async verify(signal: AbortSignal): Promise<string | undefined> {
    const { lookups, runs, now } = this.options;
    this.expire();
    const run = lookups.take(now());
    if (!run) return undefined;
    try {
      await runs.read(run, signal);
    } catch (reason) {
      if (!isNotFound(reason)) {
        lookups.fail(run, now());
        throw within(reason, nameOf(run));
      }
      this.doubt(run.repo);
    }
    lookups.done(run);
    return nameOf(run);
  }

  /** A run is not there: deleted, or we may not see its repository any more. A sweep tells which. */
  private doubt(repo: string): void {
    this.options.book.open(repo).urgent = true;
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
      const { names, askedAtMs } = await list.read(signal);
      book.list(names, askedAtMs);
      if (first) changed('*');
      return theList;
    } catch (reason) {
      if (first) changed('*');
      throw within(reason, theList);
    }
  }

  private async sweep(repo: Repo, signal: AbortSignal): Promise<string> {
    const { sweeper, book, now, changed } = this.options;
    const firstDone = book.firstDone;
    const unseen = book.isUnseen(repo.name);
    try {
      const step = await sweeper.step(repo, signal);
      if (step.kind === 'underWay') return repo.name;
      if (step.kind === 'complete') book.swept(repo, step.startedAtMs);
      else {
        if (unseen) this.unseen.take(now());
        this.missed(repo, now());
      }
    } catch (reason) {
      if (unseen) this.unseen.take(now());
      this.failed(repo, ScalerError.from(reason, 'unavailable'));
      throw within(reason, repo.name);
    }
    repo.urgent = false;
    repo.failures = 0;
    repo.error = undefined;
    changed(repo.name);
    if (book.firstDone !== firstDone) changed('*');
    return repo.name;
  }

  private missed(repo: Repo, nowMs: number): void {
    const { book, list, ledger, runs } = this.options;
    book.missed(repo, nowMs);
    if (repo.listed && repo.missing?.times === 1) list.renew();
    if (!book.isGoneForCertain(repo)) return;
    for (const run of ledger.runsOf(repo.name)) runs.drop(run);
  }

  private failed(repo: Repo, error: ScalerError): void {
    const { now, random, changed } = this.options;
    // Not a fault of the repository: the pause says why.
    if (error.retryAfterMs !== undefined) return;
    const news = repo.error?.message !== error.message;
    repo.error = error;
    repo.failures += 1;
    repo.retryAtMs = now() + backoffMs(repo.failures, random(), mostBackoffMs);
    if (news && repo.sweptAtMs === undefined) changed(repo.name);
  }

  private expire(): void {
    const { ledger, api, now, changed } = this.options;
    const nowMs = now();
    if (nowMs - this.expiredAtMs < expireEveryMs) return;
    this.expiredAtMs = nowMs;
    const repos = [...ledger.repos()];
    if (ledger.expire(nowMs + api.clockOffsetMs)) for (const repo of repos) changed(repo);
  }
}

/** So many at once, and one more for each interval. All times in ms. */
class Allowance {
  private readonly most: number;
  private readonly everyMs: number;
  /** When all of it is there again. */
  private fullAtMs: number;

  constructor(most: number, everyMs: number, nowMs: number) {
    this.most = most;
    this.everyMs = everyMs;
    this.fullAtMs = nowMs;
  }

  take(nowMs: number): void {
    this.fullAtMs = Math.max(this.fullAtMs, nowMs) + this.everyMs;
  }

  /** When there is one to take; in the past: now. */
  nextAtMs(): number {
    return this.fullAtMs - (this.most - 1) * this.everyMs;
  }
}

const deliveries = 'failed deliveries';
const theList = 'the list of repositories';

function nameOf({ repo, runId }: RunRef): string {
  return `run ${runId} of ${repo}`;
}

/** What could not be read, beside why. */
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
