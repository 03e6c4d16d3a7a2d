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

/** The open jobs. A live view: what is read later is newer, never older. */
export interface OpenJobs {
  /** One count for each set of labels, of all repositories or of one (`owner/name`, lower case). Never walks the jobs. */
  counts(repo?: string): Iterable<LabelCount>;
}

/** What came of a webhook. */
export interface Taken {
  /** A count changed. */
  readonly changed: boolean;
  /** It runs or is completed, and was never seen before: its `queued` was lost, or is late. */
  readonly unheard: boolean;
}

/** What came of an answer of REST. */
export interface Corrected {
  /** A count changed. */
  readonly changed: boolean;
  /** Jobs that count now and did not before. */
  readonly opened: number;
  /** Jobs that counted before and do not now. */
  readonly closed: number;
}

export interface Listed extends Corrected {
  /** Open jobs of the run that the listing lacks, by ID: only asking for each tells what became of it. */
  readonly absent: readonly number[];
}

export interface LedgerOptions {
  /** The most open jobs; more are refused and counted. Default 500,000. */
  readonly maxJobs?: number;
  /** The most ended jobs, and the most runs, that are remembered. Default 500,000 of each. */
  readonly maxTombstones?: number;
}

interface Changes {
  changed: boolean;
  opened: number;
  closed: number;
}

/**
 * The open jobs of an owner, from webhooks and from REST, which may come late, doubled or in any order: what is
 * known is joined, never counted up and down. All times are ms since 1970; by our clock where nothing else is
 * said. No I/O, and it never throws.
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

  constructor({ maxJobs = 500_000, maxTombstones = 500_000 }: LedgerOptions = {}) {
    this.maxJobs = maxJobs;
    this.tombstones = new Tombstones(maxTombstones);
    this.attempts = new Attempts(maxTombstones);
  }

  /** How often an open job was not taken in because there were too many. */
  get refused(): number {
    return this.refusals;
  }

  /** How many runs have open jobs. */
  get openRuns(): number {
    return this.runs.size;
  }

  /** How many ended jobs, and how many runs, are remembered. */
  get remembered(): { readonly jobs: number; readonly runs: number } {
    return { jobs: this.tombstones.size, runs: this.attempts.size };
  }

  counts(repo?: string): Iterable<LabelCount> {
    return this.tally.counts(repo);
  }

  /** What is known of each open job. Walks them all. */
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

  /** The runs to ask REST for now, the longest due first. Costs the runs, not the jobs. */
  due(nowMs: number, silence: Silence): readonly RunRef[] {
    return this.runs.due(nowMs, silence);
  }

  /** `atMs`: when the webhook was received. */
  takeWebhook(job: Job, atMs: number): Taken {
    const changes = noChanges();
    const seen = this.jobs.has(job.jobId) || this.tombstones.get(job.jobId) !== undefined;
    this.take(fromWebhook(job, this.labelSets.of(job.labels), atMs), atMs, changes);
    const unheard = !seen && (job.status === 'in_progress' || job.status === 'completed');
    return { changed: changes.changed, unheard };
  }

  /** `atMs`: when the webhook was received. */
  takeRun({ runId, runAttempt, status }: RunFact, atMs: number): Taken {
    const changes = noChanges();
    // A new attempt begins only when the one before it has ended.
    const firstOpen = status === 'completed' ? runAttempt + 1 : runAttempt;
    this.learn(runId, { firstOpen, atMs }, changes);
    return { changed: changes.changed, unheard: false };
  }

  /** All jobs of a run's latest attempt, by REST. `askedAtMs`: when the first request for them was sent. */
  takeListing(run: RunRef, jobs: readonly Job[], askedAtMs: number): Listed {
    const changes = noChanges();
    for (const job of jobs) this.takeFromRest(job, askedAtMs, changes);
    return { ...changes, absent: this.absentFrom(run, jobs, askedAtMs) };
  }

  /** One job, by REST. `askedAtMs`: when the request was sent. */
  takeRest(job: Job, askedAtMs: number): Corrected {
    const changes = noChanges();
    this.takeFromRest(job, askedAtMs, changes);
    return changes;
  }

  /** REST did not find the job (404). `askedAtMs`: when the request was sent. */
  gone(jobId: number, askedAtMs: number): Corrected {
    const changes = noChanges();
    const known = this.jobs.get(jobId) ?? this.tombstones.get(jobId)?.last;
    if (known !== undefined) this.take(fromNotFound(known, askedAtMs), askedAtMs, changes);
    return changes;
  }

  /** Two keys turned out to be one repository's: the jobs of `from` are those of `to`. */
  move(from: string, to: string): void {
    const changes = noChanges();
    for (const { runId } of this.runs.runsOf(from)) {
      for (const record of [...this.runs.jobsOf(runId)]) this.open({ ...record, repo: to }, changes);
    }
  }

  /**
   * Drops jobs that have been what they are for longer than GitHub allows, and ends that are no longer worth
   * remembering. Tells whether a count changed. `githubNowMs`: by GitHub's clock.
   */
  expire(githubNowMs: number): boolean {
    const changes = noChanges();
    for (const record of this.runs.jobsHeardBefore(githubNowMs - soonestExpiryMs)) {
      if (isExpired(record, githubNowMs)) this.close(record, { atMs: githubNowMs, last: record }, changes);
    }
    this.tombstones.forget(githubNowMs);
    this.attempts.forget(githubNowMs);
    return changes.changed;
  }

  private takeFromRest(job: Job, askedAtMs: number, changes: Changes): void {
    this.take(fromRest(job, this.labelSets.of(job.labels), askedAtMs), askedAtMs, changes);
  }

  /** Joins what was heard of a job with what is known of it, and puts the job where it belongs. */
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

  /** Learns of a run's attempts, and ends the jobs of those that have ended. */
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

  /** What REST may have lagged behind, or has told of since, is not absent. Older attempts have ended. */
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
