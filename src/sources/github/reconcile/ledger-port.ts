import type { Job, RunRef } from '../rules/job.ts';

/** What taking a word about a job has done to the counts. */
export interface Correction {
  readonly changed: boolean;
  /** Jobs that were not counted as open and now are. */
  readonly opened: number;
  /** Jobs that were counted as open and now are not. */
  readonly closed: number;
}

export interface ListingCorrection extends Correction {
  /** Open jobs of the run that the listing lacks: only asking for each can tell what became of them. */
  readonly absent: readonly number[];
}

/** What reconciling needs of the ledger. Every time is in ms since 1970 by our clock, if not said otherwise. */
export interface ReconciledLedger {
  readonly openRuns: number;
  /** How many jobs were not taken in because there are too many. */
  readonly refused: number;
  takeListing(run: RunRef, jobs: readonly Job[], askedAtMs: number): ListingCorrection;
  takeRest(job: Job, askedAtMs: number): Correction;
  gone(jobId: number, askedAtMs: number): Correction;
  /** By GitHub's clock. True when a count changed. */
  expire(githubNowMs: number): boolean;
  due(nowMs: number, silence: { queuedMs: number; runningMs: number }): readonly RunRef[];
  runsOf(repo: string): readonly RunRef[];
  repos(): Iterable<string>;
}
