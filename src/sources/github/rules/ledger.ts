import type { Job, RunFact, RunRef } from './job.ts';
import {
  countedAs,
  fromNotFound,
  fromRest,
  fromWebhook,
  isExpired,
  type JobRecord,
  join,
  LabelSets,
  restLagMs,
  type Silence,
  soonestExpiryMs,
  statusOf,
} from './job-record.ts';
import { OpenRuns } from './open-runs.ts';
import { type LabelCount, Tally } from './tally.ts';
import { Attempts, type AttemptsOfRun, type Tombstone, Tombstones } from './tombstones.ts';

/** The open jobs, as a live view: a later read is never older. */
export interface OpenJobs {
  /** One count for each set of labels, for all repositories or one (`owner/name`, lower case). Never walks the jobs. */
  counts(repo?: string): Iterable<LabelCount>;
}

/** The effect of a webhook. */
export interface Taken {
  /** A count changed. */
  readonly changed: boolean;
  /** The job runs or is completed, but was never seen before. Its `queued` is lost or late. */
  readonly unheard: boolean;
}

/** The effect of an answer of REST. */
export interface Corrected {
  /** A count changed. */
  readonly changed: boolean;
  /** Jobs that count now and did not before. */
  readonly opened: number;
  /** Jobs that counted before and do not now. */
  readonly closed: number;
}

export interface Listed extends Corrected {
  /** IDs of open jobs of the run that the listing lacks. Each must be read to know what became of it. */
  readonly absent: readonly number[];
}

export interface LedgerOptions {
  /** The most open jobs. Further ones are refused and counted. Default 500,000. */
  readonly maxJobs?: number;
  /** The most ended jobs, and the most runs, to remember. Default 500,000 each. */
  readonly maxTombstones?: number;
}

interface Changes {
  changed: boolean;
  opened: number;
  closed: number;
}

/**
 * The open jobs of an owner, from webhooks and REST. Reports may come late, twice or in any order, so they are joined,
 * never counted up and down. All times are ms since 1970, by our clock unless stated. No I/O. Never throws.
 */
export class Ledger implements OpenJobs {
  private readonly maxJobs: number;
  private readonly jobs = new Map<number, JobRecord>();
  private readonly tombstones: Tombstones;
  private readonly attempts: Attempts;
  private readonly runs = new OpenRuns();
  private readonly tally = new Tally();
  private readonly labelSets = new LabelSets();
  private refusals = 0;
  private lastRefusedAtMs = Number.NEGATIVE_INFINITY;

  constructor({ maxJobs = 500_000, maxTombstones = 500_000 }: LedgerOptions = {}) {
    this.maxJobs = maxJobs;
    this.tombstones = new Tombstones(maxTombstones);
    this.attempts = new Attempts(maxTombstones);
  }

  /** How many open jobs were refused because the ledger was full. */
  get refused(): number {
    return this.refusals;
  }

  /** When one was last. */
  get refusedAtMs(): number {
    return this.lastRefusedAtMs;
  }

  /** How many runs have open jobs. */
  get openRuns(): number {
    return this.runs.size;
  }

  /** How many ended jobs and how many runs are remembered. */
  get remembered(): { readonly jobs: number; readonly runs: number } {
    return { jobs: this.tombstones.size, runs: this.attempts.size };
  }

  counts(repo?: string): Iterable<LabelCount> {
    return this.tally.counts(repo);
  }

  /** The record of each open job. Walks them all. */
  records(): Iterable<JobRecord> {
    return this.jobs.values();
  }

  /** The repositories with open jobs. */
  repos(): Iterable<string> {
    return this.runs.repos();
  }

  /** The runs of a repository that have open jobs. */
  runsOf(repo: string): readonly RunRef[] {
    return this.runs.runsOf(repo);
  }

  /** The runs to verify now, the longest due first. The cost grows with the runs, not the jobs. */
  due(nowMs: number, silence: Silence): readonly RunRef[] {
    return this.runs.due(nowMs, silence);
  }

  /** `atMs` is when the webhook was received. */
  takeWebhook(job: Job, atMs: number): Taken {
    const changes = noChanges();
    const seen = this.jobs.has(job.jobId) || this.tombstones.get(job.jobId) !== undefined;
    this.take(fromWebhook(job, this.labelSets.of(job.labels), atMs), atMs, changes);
    const unheard = !seen && (job.status === 'in_progress' || job.status === 'completed');
    return { changed: changes.changed, unheard };
  }

  /** `atMs` is when the webhook was received. */
  takeRun({ runId, runAttempt, status }: RunFact, atMs: number): Taken {
    const changes = noChanges();
    // A new attempt begins only after the end of the one before.
    const firstOpen = status === 'completed' ? runAttempt + 1 : runAttempt;
    this.learn(runId, { firstOpen, atMs }, changes);
    return { changed: changes.changed, unheard: false };
  }

  /** All jobs of a run's latest attempt, from REST. `askedAtMs` is when the first of the requests was sent. */
  takeListing(run: RunRef, jobs: readonly Job[], askedAtMs: number): Listed {
    const changes = noChanges();
    for (const job of jobs) this.takeFromRest(job, askedAtMs, changes);
    return { ...changes, absent: this.absentFrom(run, jobs, askedAtMs) };
  }

  /** A job from REST. `askedAtMs` is when the request was sent. */
  takeRest(job: Job, askedAtMs: number): Corrected {
    const changes = noChanges();
    this.takeFromRest(job, askedAtMs, changes);
    return changes;
  }

  /** REST answered 404 for the job. `askedAtMs` is when the request was sent. */
  gone(jobId: number, askedAtMs: number): Corrected {
    const changes = noChanges();
    const known = this.jobs.get(jobId) ?? this.tombstones.get(jobId)?.last;
    if (known !== undefined) this.take(fromNotFound(known, askedAtMs), askedAtMs, changes);
    return changes;
  }

  /** Two keys turned out to be one repository's. The jobs of `from` become those of `to`. */
  move(from: string, to: string): void {
    const changes = noChanges();
    for (const { runId } of this.runs.runsOf(from)) {
      for (const record of [...this.runs.jobsOf(runId)]) this.open({ ...record, repo: to }, changes);
    }
  }

  /**
   * Drops jobs that have been in their state for longer than GitHub allows, and forgets old ends. Returns whether a
   * count changed. `clockOffsetMs` is GitHub's clock minus ours.
   */
  expire(nowMs: number, clockOffsetMs = 0): boolean {
    const changes = noChanges();
    for (const record of this.runs.jobsHeardBefore(nowMs - soonestExpiryMs)) {
      if (isExpired(record, nowMs, clockOffsetMs)) this.close(record, { atMs: nowMs, last: record }, changes);
    }
    this.tombstones.forget(nowMs);
    this.attempts.forget(nowMs);
    return changes.changed;
  }

  private takeFromRest(job: Job, askedAtMs: number, changes: Changes): void {
    this.take(fromRest(job, this.labelSets.of(job.labels), askedAtMs), askedAtMs, changes);
  }

  /** Joins a report with the job's record, and files the job by the result. */
  private take(heard: JobRecord, atMs: number, changes: Changes): void {
    const { jobId, runId } = heard;
    this.learn(runId, { firstOpen: heard.runAttempt, atMs }, changes);
    if (this.tombstones.isCompleted(jobId)) return;
    const known = this.jobs.get(jobId) ?? this.tombstones.get(jobId)?.last;
    const record = known === undefined ? heard : join(known, heard);
    const status = statusOf(record);
    if (status === 'completed' || this.attempts.isOver(runId, record.runAttempt)) {
      this.end(jobId, atMs, changes);
    } else if (status === 'gone' || isExpired(record, atMs)) {
      this.close(record, { atMs, last: record }, changes);
    } else this.open(record, changes);
  }

  /** Learns about a run's attempts, and ends the jobs of those that have ended. */
  private learn(runId: number, known: AttemptsOfRun, changes: Changes): void {
    if (!this.attempts.learn(runId, known)) return;
    for (const { jobId, runAttempt } of this.runs.jobsOf(runId)) {
      if (this.attempts.isOver(runId, runAttempt)) this.end(jobId, known.atMs, changes);
    }
  }

  private open(record: JobRecord, changes: Changes): void {
    const before = this.jobs.get(record.jobId);
    if (before === undefined && this.jobs.size >= this.maxJobs) {
      this.refusals += 1;
      this.lastRefusedAtMs = Math.max(this.lastRefusedAtMs, record.heardMs);
      return;
    }
    this.tombstones.delete(record.jobId);
    this.jobs.set(record.jobId, record);
    this.runs.put(record);
    this.count(before, record, changes);
  }

  private end(jobId: number, atMs: number, changes: Changes): void {
    const record = this.jobs.get(jobId);
    if (record === undefined) this.tombstones.set(jobId, { atMs });
    else this.close(record, { atMs }, changes);
  }

  private close({ jobId }: JobRecord, tombstone: Tombstone, changes: Changes): void {
    const before = this.jobs.get(jobId);
    this.tombstones.set(jobId, tombstone);
    if (before === undefined) return;
    this.jobs.delete(jobId);
    this.runs.remove(before);
    this.count(before, undefined, changes);
  }

  private count(before: JobRecord | undefined, after: JobRecord | undefined, changes: Changes): void {
    if (!this.tally.change(before, after)) return;
    const countedBefore = before !== undefined && countedAs(before) !== undefined;
    const countsNow = after !== undefined && countedAs(after) !== undefined;
    changes.changed = true;
    if (!countedBefore) changes.opened += 1;
    if (!countsNow) changes.closed += 1;
  }

  /** A job is not absent if REST may have lagged behind it, or has reported it since. Older attempts have ended. */
  private absentFrom({ runId }: RunRef, jobs: readonly Job[], askedAtMs: number): readonly number[] {
    const listed = new Set(jobs.map(({ jobId }) => jobId));
    const absent: number[] = [];
    for (const { jobId, webhook, rest, confirmed } of this.runs.jobsOf(runId)) {
      const lags = confirmed && webhook !== undefined && askedAtMs <= webhook.atMs + restLagMs;
      const newer = rest !== undefined && rest.atMs >= askedAtMs;
      if (!listed.has(jobId) && !lags && !newer) absent.push(jobId);
    }
    return absent;
  }
}

function noChanges(): Changes {
  return { changed: false, opened: 0, closed: 0 };
}
