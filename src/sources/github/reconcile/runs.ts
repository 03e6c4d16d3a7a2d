import { ScalerError } from '../../../errors.ts';
import { backoffMs } from '../../../retry.ts';
import type { RunRef } from '../rules/job.ts';
import type { Corrected, Ledger } from '../rules/ledger.ts';
import type { GitHubApi } from '../upstream/api.ts';
import { isNotFound } from '../upstream/errors.ts';
import type { Repo, Sweep } from './directory.ts';
import type { RepoBook } from './repos.ts';

/** The longest backoff after failures. */
export const mostBackoffMs = 60_000;

export interface RunReaderOptions {
  readonly api: Pick<GitHubApi, 'jobsOf' | 'job'>;
  readonly ledger: Pick<Ledger, 'takeListing' | 'takeRest' | 'gone'>;
  readonly book: Pick<RepoBook, 'ofKey'>;
  readonly now: () => number;
  /** The ledger took an answer of GitHub about jobs of the repository with this key. */
  readonly corrected: (key: string, correction: Corrected) => void;
}

/** Reads the jobs of a run into the ledger. Its methods throw ScalerError if GitHub does not answer. */
export class RunReader {
  private readonly options: RunReaderOptions;

  constructor(options: RunReaderOptions) {
    this.options = options;
  }

  /**
   * Throws `not_found` if GitHub answers 404 for the run, and leaves the ledger as it is. `sinceMs`: how old the answer
   * may be, as for `GitHubApi`. Returns when the request was sent.
   */
  async read(run: RunRef, signal: AbortSignal, sinceMs: number): Promise<number> {
    const { api, ledger, book, corrected } = this.options;
    const repo = book.ofKey(run.repo);
    const name = repo?.name ?? run.repo;
    const {
      value: jobs,
      askedAtMs,
      moved,
    } = await api.jobsOf({ repo: name, runId: run.runId }, signal, sinceMs);
    // A sweep will show whose it is now.
    if (moved && repo) repo.urgent = true;
    const listing = ledger.takeListing(
      run,
      jobs.map((job) => ({ ...job, repo: run.repo })),
      askedAtMs,
    );
    corrected(run.repo, listing);
    // A listing may lag behind a webhook, and lacks jobs while GitHub has trouble. So each absent job is read by its ID.
    for (const jobId of listing.absent) await this.readJob(run, name, jobId, signal, askedAtMs);
    return askedAtMs;
  }

  /** The run is gone for certain, and so are its jobs. */
  drop(run: RunRef): void {
    const { ledger, now, corrected } = this.options;
    const askedAtMs = now();
    const listing = ledger.takeListing(run, [], askedAtMs);
    corrected(run.repo, listing);
    for (const jobId of listing.absent) corrected(run.repo, ledger.gone(jobId, askedAtMs));
  }

  private async readJob(
    { repo: key }: RunRef,
    repo: string,
    jobId: number,
    signal: AbortSignal,
    sinceMs: number,
  ): Promise<void> {
    const { api, ledger, now, corrected } = this.options;
    const askedAtMs = now();
    try {
      const { value, askedAtMs: sentAtMs } = await api.job({ repo, jobId }, signal, sinceMs);
      corrected(key, ledger.takeRest({ ...value, repo: key }, sentAtMs));
    } catch (reason) {
      if (!isNotFound(reason)) throw reason;
      corrected(key, ledger.gone(jobId, askedAtMs));
    }
  }
}

/** After this many failures the rest of a repository's runs are not tried. */
const maxFailures = 3;

export type SweepStep =
  /** Some of its runs are still to be read. */
  | { readonly kind: 'underWay' }
  | { readonly kind: 'complete'; readonly startedAtMs: number }
  /** GitHub answers 404 for the repository, or its name now leads to another one. */
  | { readonly kind: 'missing' };

export interface SweeperOptions {
  readonly api: Pick<GitHubApi, 'openRuns'>;
  readonly ledger: Pick<Ledger, 'runsOf'>;
  readonly book: Pick<RepoBook, 'answered'>;
  readonly runs: RunReader;
  readonly now: () => number;
}

/**
 * Reads a repository's open runs into the ledger, and also runs of the ledger that GitHub does not list as open. Each
 * step is about one request, so that more urgent work can come in between.
 */
export class Sweeper {
  private readonly options: SweeperOptions;

  constructor(options: SweeperOptions) {
    this.options = options;
  }

  /**
   * Throws ScalerError if the sweep has failed. A sweep that GitHub interrupts for a limit continues later. `sinceMs`:
   * how old the first answer may be, as for `GitHubApi`.
   */
  async step(repo: Repo, signal: AbortSignal, sinceMs: number | undefined): Promise<SweepStep> {
    const { sweep } = repo;
    if (!sweep) repo.sweep = await this.begin(repo, signal, sinceMs);
    else if (sweep.todo.length > 0) await this.readNext(repo, sweep, signal);
    else if (!(await this.dropGone(repo, sweep, signal))) repo.sweep = undefined;
    return repo.sweep ? this.outcome(repo, repo.sweep) : { kind: 'missing' };
  }

  /** Undefined if the repository is missing. */
  private async begin(
    repo: Repo,
    signal: AbortSignal,
    sinceMs: number | undefined,
  ): Promise<Sweep | undefined> {
    const { ledger, now } = this.options;
    const beganAtMs = now();
    // Taken before the request. A run that webhooks report meanwhile may be missing in the answer, and needs no second
    // look.
    const known = ledger.runsOf(repo.key);
    const open = await this.openRuns(repo, signal, sinceMs);
    if (open === undefined) return undefined;
    const startedAtMs = Math.min(beganAtMs, open.askedAtMs);
    return { startedAtMs, todo: union(open.runs, known), gone: [], error: undefined, failures: 0 };
  }

  /** Undefined if the repository is missing. */
  private async openRuns(
    repo: Repo,
    signal: AbortSignal,
    sinceMs?: number,
  ): Promise<{ readonly runs: readonly RunRef[]; readonly askedAtMs: number } | undefined> {
    const { api, book } = this.options;
    try {
      const { value: open, repo: whose, askedAtMs } = await api.openRuns(repo.name, signal, sinceMs);
      if (whose !== undefined && !book.answered(repo, whose)) return undefined;
      return { runs: open.map(({ runId }) => ({ repo: repo.key, runId })), askedAtMs };
    } catch (reason) {
      if (isNotFound(reason)) return undefined;
      throw reason;
    }
  }

  private async readNext(repo: Repo, sweep: Sweep, signal: AbortSignal): Promise<void> {
    const run = sweep.todo[0];
    if (!run) return;
    try {
      const askedAtMs = await this.options.runs.read(run, signal, sweep.startedAtMs);
      sweep.startedAtMs = Math.min(sweep.startedAtMs, askedAtMs);
    } catch (reason) {
      const error = ScalerError.from(reason, 'unavailable');
      if (error.retryAfterMs !== undefined || signal.aborted) throw error;
      if (isNotFound(error)) sweep.gone.push(run);
      else this.fail(repo, sweep, error);
    }
    sweep.todo.shift();
  }

  /**
   * Ends the jobs of runs that got a 404, if the repository is still there. GitHub also answers 404 if the repository is
   * gone, or our right to read it. Returns false in that case.
   */
  private async dropGone(repo: Repo, { gone }: Sweep, signal: AbortSignal): Promise<boolean> {
    if (!(await this.openRuns(repo, signal))) return false;
    for (const run of gone.splice(0)) this.options.runs.drop(run);
    return true;
  }

  /** One run that cannot be read must not keep the others from being read. */
  private fail(repo: Repo, sweep: Sweep, error: ScalerError): void {
    sweep.error = error;
    sweep.failures += 1;
    if (sweep.failures < maxFailures) return;
    repo.sweep = undefined;
    throw error;
  }

  private outcome(repo: Repo, sweep: Sweep): SweepStep {
    if (sweep.todo.length > 0 || sweep.gone.length > 0) return { kind: 'underWay' };
    repo.sweep = undefined;
    if (sweep.error) throw sweep.error;
    return { kind: 'complete', startedAtMs: sweep.startedAtMs };
  }
}

function union(open: readonly RunRef[], known: readonly RunRef[]): RunRef[] {
  const runs = new Map<number, RunRef>();
  for (const run of [...open, ...known]) if (!runs.has(run.runId)) runs.set(run.runId, run);
  return [...runs.values()];
}

/** Several events that report the same about a run cause one read. */
const coalesceMs = 2_000;
/** How long the jobs of a new run may take to be heard of. */
const heardWithinMs = 10_000;
/** How far apart pods hear of the same event, and react to it. */
const togetherMs = 1_000;
/** Beyond this many, the next sweep finds what is lost. */
const maxWaiting = 10_000;

interface Waiting {
  readonly run: RunRef;
  readonly atMs: number;
  /** Not read if one of its jobs is heard of before. */
  readonly unlessHeard: boolean;
  readonly failures: number;
}

export interface LookupsOptions {
  readonly ledger: Pick<Ledger, 'due' | 'runsOf' | 'openRuns'>;
  /** How long jobs may be silent now. */
  readonly silence: () => { queuedMs: number; runningMs: number };
  /** How often the ledger is searched for jobs that were silent for too long. */
  readonly everyMs: number;
  readonly random: () => number;
  /** Whether GitHub answers 404 for the repository of this key. Its runs are then left alone. */
  readonly isMissing: (key: string) => boolean;
}

/** The runs to read, and when. One request for each run, whatever the number of its jobs. */
export class Lookups {
  private readonly options: LookupsOptions;
  /** Runs of which an event was lost, or without any job yet, or that could not be read. */
  private readonly waiting = new Map<number, Waiting>();
  private silent: RunRef[] = [];
  private lookAtMs = 0;
  /** Extra searches of the ledger, in whole seconds. They are few, because none lies far ahead. */
  private readonly looks = new Set<number>();

  constructor(options: LookupsOptions) {
    this.options = options;
  }

  /** Reads the run soon. Returns when. */
  soon(run: RunRef, nowMs: number): number {
    const known = this.waiting.get(run.runId);
    if (known && !known.unlessHeard) return known.atMs;
    return this.put({ run, atMs: nowMs + coalesceMs, unlessHeard: false, failures: 0 });
  }

  /** Reads the run unless one of its jobs is heard of in time. Returns when. */
  unlessHeard(run: RunRef, nowMs: number): number {
    const known = this.waiting.get(run.runId);
    return known?.atMs ?? this.put({ run, atMs: nowMs + heardWithinMs, unlessHeard: true, failures: 0 });
  }

  heard({ runId }: RunRef): void {
    if (this.waiting.get(runId)?.unlessHeard) this.waiting.delete(runId);
  }

  /** Searches the ledger at `atMs`, or up to a second later. Returns when. */
  lookAt(atMs: number): number {
    const secondMs = Math.ceil(atMs / 1000) * 1000;
    this.looks.add(secondMs);
    this.lookAtMs = Math.min(this.lookAtMs, secondMs);
    return secondMs;
  }

  nextAtMs(): number {
    if (this.silent.length > 0) return 0;
    let nextMs = this.options.ledger.openRuns > 0 ? this.lookAtMs : Number.POSITIVE_INFINITY;
    for (const { atMs } of this.waiting.values()) nextMs = Math.min(nextMs, atMs);
    return nextMs;
  }

  /** The next run to read now, and since when an answer is new enough. It stays until `done` or `fail`. */
  take(nowMs: number): { readonly run: RunRef; readonly sinceMs: number } | undefined {
    for (const { run, atMs, unlessHeard } of this.waiting.values()) {
      if (atMs > nowMs) continue;
      if (!unlessHeard || !this.isKnown(run)) return { run, sinceMs: atMs - togetherMs };
      this.waiting.delete(run.runId);
    }
    if (this.silent.length === 0) this.look(nowMs);
    const run = this.silent.shift();
    // Other pods find the same runs silent within one interval.
    return run && { run, sinceMs: nowMs - this.options.everyMs };
  }

  /** The run has been read, or other runs will be. */
  done({ runId }: RunRef): void {
    this.waiting.delete(runId);
  }

  fail(run: RunRef, nowMs: number): void {
    const failures = (this.waiting.get(run.runId)?.failures ?? 0) + 1;
    const atMs = nowMs + backoffMs(failures, this.options.random(), mostBackoffMs);
    this.put({ run, atMs, unlessHeard: false, failures });
  }

  private put(waiting: Waiting): number {
    const { runId } = waiting.run;
    if (this.waiting.has(runId) || this.waiting.size < maxWaiting) this.waiting.set(runId, waiting);
    return waiting.atMs;
  }

  private look(nowMs: number): void {
    const { ledger, silence, everyMs, isMissing } = this.options;
    if (nowMs < this.lookAtMs) return;
    for (const atMs of this.looks) if (atMs <= nowMs) this.looks.delete(atMs);
    this.lookAtMs = nowMs + everyMs;
    for (const atMs of this.looks) this.lookAtMs = Math.min(this.lookAtMs, atMs);
    const due = ledger.due(nowMs, silence());
    this.silent = due.filter(({ repo, runId }) => !this.waiting.has(runId) && !isMissing(repo));
  }

  private isKnown({ repo, runId }: RunRef): boolean {
    return this.options.ledger.runsOf(repo).some((run) => run.runId === runId);
  }
}
