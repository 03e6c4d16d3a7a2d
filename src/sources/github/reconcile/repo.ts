import type { ScalerError } from '../../../errors.ts';
import type { RunRef } from '../rules/job.ts';

/** A sweep of a repository that has begun. */
export interface Sweep {
  /** All that is read is at least as new as this. */
  readonly startedAtMs: number;
  /** The runs that are still to be read. */
  readonly todo: RunRef[];
  /** The runs that GitHub answered 404 for. */
  readonly gone: RunRef[];
  /** The last error of a run that could not be read, and how many there were. */
  error: ScalerError | undefined;
  failures: number;
}

/** What is known of a repository. All times in ms since 1970 by our clock. */
export interface Repo {
  readonly name: string;
  /** GitHub lists it, or the configuration names it. */
  listed: boolean;
  /** A live trigger or the configuration names it. */
  wanted: boolean;
  lastEventAtMs: number;
  /** When its last complete sweep began. */
  sweptAtMs: number | undefined;
  /** GitHub answers 404 for it. */
  missing: { readonly sinceMs: number; askedAtMs: number; times: number } | undefined;
  /** Why its last sweep failed. */
  error: ScalerError | undefined;
  failures: number;
  /** Not asked before this, after a failure. */
  retryAtMs: number;
  /** Something is doubtful: it is to be swept now. */
  urgent: boolean;
  sweep: Sweep | undefined;
  active: boolean;
}

export function newRepo(name: string): Repo {
  return {
    name,
    listed: false,
    wanted: false,
    lastEventAtMs: Number.NEGATIVE_INFINITY,
    sweptAtMs: undefined,
    missing: undefined,
    error: undefined,
    failures: 0,
    retryAtMs: 0,
    urgent: false,
    sweep: undefined,
    active: false,
  };
}

/** Whether anybody but a trigger says that it is there: a list, the configuration, an event, or GitHub when it was read. */
export function isSeen({ listed, sweptAtMs, lastEventAtMs }: Repo): boolean {
  return listed || sweptAtMs !== undefined || lastEventAtMs > Number.NEGATIVE_INFINITY;
}

/** A removed repository is asked about again soon, to be sure; later it only costs requests. */
const askAgainMs = 60_000;

/** When its next sweep is due; 0: at once. `everyMs`: how often it is swept. */
export function dueAtMs(repo: Repo, everyMs: number): number {
  return Math.max(repo.retryAtMs, wantedAtMs(repo, everyMs));
}

function wantedAtMs({ urgent, missing, sweptAtMs }: Repo, everyMs: number): number {
  if (missing) return missing.askedAtMs + (missing.times === 1 ? Math.min(askAgainMs, everyMs) : everyMs);
  if (urgent || sweptAtMs === undefined) return 0;
  return sweptAtMs + everyMs;
}
