import type { Job } from '../rules/job.ts';

/*
 * What reconciling asks of GitHub's REST API. Requests go out one at a time (docs.github.com, "Best practices
 * for using the REST API"). Everything throws ScalerError: `not_found` where GitHub answers 404, else
 * `unavailable` with what to do; `retryAfterMs` where GitHub says for how long we must stay away. Nothing sleeps
 * for a limit: while we must stay away, calls fail at once.
 */

/** An answer, and when it was asked for: what happened later may be missing in it. */
export interface Asked<T> {
  readonly value: T;
  /** When the first of its requests was sent, in ms since 1970 by our clock. */
  readonly askedAtMs: number;
}

/** A repository is its ID; its name changes, and an old name may become another's. */
export interface RepoIdentity {
  readonly id: number;
  /** `owner/name` as GitHub has it now, lower case. */
  readonly name: string;
}

export interface OwnerRepos {
  /** When they were asked for, in ms since 1970 by our clock, where another pod did so, maybe before we wanted it. */
  readonly askedAtMs?: number;
  /** Those that can run jobs: archived and disabled ones are left out. */
  readonly repos: readonly RepoIdentity[];
  /** How many of the owner's we may see, archived and disabled ones too. */
  readonly visible: number;
}

export interface OpenRun {
  readonly runId: number;
  readonly runAttempt: number;
}

export interface OpenRuns extends Asked<readonly OpenRun[]> {
  /** Whose runs they are, where the answer says it: the name that was asked for may be an old one. */
  readonly repo?: RepoIdentity | undefined;
}

export interface JobsOfRun extends Asked<readonly Job[]> {
  /** GitHub answered for another name: the repository was renamed or transferred. */
  readonly moved?: boolean;
}

/** A webhook delivery that GitHub could not make. */
export interface FailedDelivery {
  /** GitHub's 64-bit number as text: since 2026 it is beyond what a JavaScript number can hold. */
  readonly deliveryId: string;
  /** Shared by all deliveries of one event, redeliveries too. */
  readonly guid: string;
}

/** What is left of the hourly limit, as the last answer said. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  /** By our clock. */
  readonly resetAtMs: number;
}

/**
 * `sinceMs`: an answer will do that was asked for since then (ms since 1970 by our clock), where there is one for all pods
 * already. Left out, and where there is but one pod: GitHub is asked now.
 */
export interface GitHubApi {
  readonly quota: Quota | undefined;
  /** GitHub's clock minus ours, in ms, from the `Date` of its last answer; 0 before the first. */
  readonly clockOffsetMs: number;

  /** All repositories of the owner that we may see. */
  repositories(signal: AbortSignal, sinceMs?: number): Promise<OwnerRepos>;
  /** The runs of a repository that are not completed, in whatever state: a `waiting` run may have queued jobs. */
  openRuns(repo: string, signal: AbortSignal, sinceMs?: number): Promise<OpenRuns>;
  /** Every job of the run's latest attempt, completed ones too. */
  jobsOf(run: { repo: string; runId: number }, signal: AbortSignal, sinceMs?: number): Promise<JobsOfRun>;
  /** One job. */
  job(ref: { repo: string; jobId: number }, signal: AbortSignal, sinceMs?: number): Promise<Asked<Job>>;
  /**
   * Deliveries of this owner's job and run events since `sinceMs` (GitHub's clock) of which none has succeeded.
   * Undefined without an App: only an App may ask this.
   */
  failedDeliveries?(sinceMs: number, signal: AbortSignal): Promise<readonly FailedDelivery[]>;
  redeliver?(delivery: FailedDelivery, signal: AbortSignal): Promise<void>;
  /** A webhook named the App's installation on an owner: nobody need ask for it. */
  learnInstallation(owner: string, installationId: number): void;
}
