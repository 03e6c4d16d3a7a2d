import type { Job } from '../rules/job.ts';

/*
 * The requests that reconciling needs from GitHub's REST API. They go out one at a time (docs.github.com, "Best
 * practices for using the REST API"). Everything throws ScalerError. It is `not_found` if GitHub answers 404, otherwise
 * `unavailable` with what to do. It has `retryAfterMs` if GitHub says how long to stay away. Nothing sleeps for a limit:
 * until then calls fail at once.
 */

/** An answer, and when it was requested. Later changes may be missing in it. */
export interface Dated<T> {
  readonly value: T;
  /** When the first of its requests was sent, in ms since 1970 by our clock. */
  readonly askedAtMs: number;
}

/** A repository is its ID. Its name may change, and an old name may become another's. */
export interface RepoIdentity {
  readonly id: number;
  /** `owner/name`, lower case, as GitHub has it now. */
  readonly name: string;
}

export interface OwnerRepos {
  /** When another pod requested it, maybe before this pod needed it. In ms since 1970 by our clock. */
  readonly askedAtMs?: number;
  /** Repositories that can run jobs: archived and disabled ones are left out. */
  readonly repos: readonly RepoIdentity[];
  /** How many repositories of the owner are visible to us, archived and disabled ones included. */
  readonly visible: number;
}

export interface OpenRun {
  readonly runId: number;
  readonly runAttempt: number;
}

export interface OpenRuns extends Dated<readonly OpenRun[]> {
  /** The repository of the runs, if the answer names it. The requested name may be an old one. */
  readonly repo?: RepoIdentity | undefined;
}

export interface JobsOfRun extends Dated<readonly Job[]> {
  /** GitHub answered for another name: the repository was renamed or transferred. */
  readonly moved?: boolean;
}

/** A webhook delivery that has failed. */
export interface FailedDelivery {
  /** GitHub's 64-bit number as text: since 2026 it is too large for a JavaScript number. */
  readonly deliveryId: string;
  /** The same for all deliveries of an event, redeliveries included. */
  readonly guid: string;
}

/** What is left of the hourly limit, by the last answer. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  /** By our clock. */
  readonly resetAtMs: number;
}

/**
 * `sinceMs` of a method: an answer requested since then (ms since 1970 by our clock) will do, if one already exists for
 * all pods. By default, and with a single pod, GitHub is asked now.
 */
export interface GitHubApi {
  readonly quota: Quota | undefined;
  /** GitHub's clock minus ours, in ms, from the `Date` of its last answer. 0 before the first. */
  readonly clockOffsetMs: number;

  /** All repositories of the owner that are visible to us. */
  repositories(signal: AbortSignal, sinceMs?: number): Promise<OwnerRepos>;
  /** The runs of a repository that are not completed, in any state: a `waiting` run may have queued jobs. */
  openRuns(repo: string, signal: AbortSignal, sinceMs?: number): Promise<OpenRuns>;
  /** Every job of the run's latest attempt, completed ones included. */
  jobsOf(run: { repo: string; runId: number }, signal: AbortSignal, sinceMs?: number): Promise<JobsOfRun>;
  job(ref: { repo: string; jobId: number }, signal: AbortSignal, sinceMs?: number): Promise<Dated<Job>>;
  /**
   * Deliveries of this owner's job and run events since `sinceMs` (GitHub's clock) that have never succeeded. Undefined
   * without an App, because only an App may list them.
   */
  failedDeliveries?(sinceMs: number, signal: AbortSignal): Promise<readonly FailedDelivery[]>;
  redeliver?(delivery: FailedDelivery, signal: AbortSignal): Promise<void>;
  /** A webhook named the App's installation on an owner. That saves a request for it. */
  learnInstallation(owner: string, installationId: number): void;
}
