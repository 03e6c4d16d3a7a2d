import type { ScalerError } from '../../../errors.ts';
import type { Quota } from '../upstream/api.ts';

/*
 * Decides what to ask GitHub next. Pure. All times are ms since 1970 by our clock, infinite if never due.
 */

export interface RepoOutlook {
  readonly repo: string;
  /** A live trigger names it. */
  readonly named: boolean;
  /** It is on a list, has been read, or had an event. Otherwise only a trigger claims that it exists. */
  readonly seen: boolean;
  /** It has been swept, or is known to be missing. */
  readonly synced: boolean;
  readonly active: boolean;
  /** A sweep of it has begun. */
  readonly underWay: boolean;
  readonly dueAtMs: number;
  /** An answer that another pod got since this time is new enough. Undefined if GitHub must be asked now. */
  readonly sinceMs: number | undefined;
}

export interface Outlook {
  readonly nowMs: number;
  /** Until when GitHub wants us to stay away. */
  readonly pausedUntilMs: number;
  /** Until when sweeps leave the rest of the limit to other requests. */
  readonly heldUntilMs: number;
  /** When the allowance for names that nobody else has seen permits another request. */
  readonly unseenAtMs: number;
  readonly verifyAtMs: number;
  readonly deliveriesAtMs: number;
  readonly listAtMs: number;
  /** Whether the list of repositories has been read once. */
  readonly listed: boolean;
  readonly repos: Iterable<RepoOutlook>;
}

export type Work =
  | { readonly kind: 'verify' }
  | { readonly kind: 'deliveries' }
  | { readonly kind: 'list' }
  | { readonly kind: 'sweep'; readonly repo: string; readonly sinceMs: number | undefined }
  | { readonly kind: 'wait'; readonly untilMs: number };

/**
 * Smaller is more urgent. A repository named by a trigger goes before the first sync of the rest, which may take an
 * hour. But a name that nobody else has seen may be invented, with thousands of others. It waits for everything that is
 * known to exist.
 */
const ranks = {
  syncNamed: 0,
  verify: 1,
  sweepNamed: 2,
  deliveries: 3,
  firstList: 4,
  sync: 5,
  sweepActive: 6,
  list: 7,
  sweep: 8,
  unseen: 9,
} as const;

interface Candidate {
  readonly work: Work;
  readonly rank: number;
  readonly dueAtMs: number;
}

/** The most urgent work that is due, or how long to wait for it. */
export function mostUrgent(outlook: Outlook): Work {
  const { nowMs, pausedUntilMs } = outlook;
  if (pausedUntilMs > nowMs) return { kind: 'wait', untilMs: pausedUntilMs };
  let best: Candidate | undefined;
  let nextMs = Number.POSITIVE_INFINITY;
  for (const candidate of candidates(outlook)) {
    if (candidate.dueAtMs > nowMs) nextMs = Math.min(nextMs, candidate.dueAtMs);
    else if (!best || isBefore(candidate, best)) best = candidate;
  }
  return best?.work ?? { kind: 'wait', untilMs: nextMs };
}

function isBefore(a: Candidate, b: Candidate): boolean {
  return a.rank === b.rank ? a.dueAtMs < b.dueAtMs : a.rank < b.rank;
}

function* candidates(outlook: Outlook): Iterable<Candidate> {
  const { verifyAtMs, deliveriesAtMs, listAtMs, listed, heldUntilMs } = outlook;
  yield { work: { kind: 'verify' }, rank: ranks.verify, dueAtMs: verifyAtMs };
  yield { work: { kind: 'deliveries' }, rank: ranks.deliveries, dueAtMs: deliveriesAtMs };
  const listRank = listed ? ranks.list : ranks.firstList;
  yield { work: { kind: 'list' }, rank: listRank, dueAtMs: held(listAtMs, listed ? heldUntilMs : 0) };
  for (const repo of outlook.repos) yield sweepOf(repo, outlook);
}

function sweepOf(outlook: RepoOutlook, { heldUntilMs, unseenAtMs }: Outlook): Candidate {
  const { repo, underWay, sinceMs } = outlook;
  const rank = sweepRank(outlook);
  const dueAtMs = held(outlook.dueAtMs, notBeforeMs(rank, heldUntilMs, unseenAtMs));
  // Among equals, a sweep that has begun is finished first.
  return { work: { kind: 'sweep', repo, sinceMs }, rank: underWay ? rank - 0.5 : rank, dueAtMs };
}

/** A repository that a trigger names for the first time is read even while sweeps are held back. */
function notBeforeMs(rank: number, heldUntilMs: number, unseenAtMs: number): number {
  if (rank === ranks.unseen) return unseenAtMs;
  return rank === ranks.syncNamed ? 0 : heldUntilMs;
}

function sweepRank({ named, seen, synced, active }: RepoOutlook): number {
  if (!seen) return ranks.unseen;
  if (named) return synced ? ranks.sweepNamed : ranks.syncNamed;
  if (!synced) return ranks.sync;
  return active ? ranks.sweepActive : ranks.sweep;
}

function held(dueAtMs: number, heldUntilMs: number): number {
  return Math.max(dueAtMs, heldUntilMs);
}

/**
 * Since when an answer of another pod is as good as a new one, for something read `everyMs` and last at `readAtMs`. An
 * answer counts from when it was requested, so the next read comes sooner. After one or two rounds all pods read the
 * same, at the same time.
 */
export function goodSinceMs(readAtMs: number | undefined, everyMs: number, nowMs: number): number {
  return readAtMs === undefined ? nowMs - everyMs : readAtMs + everyMs / 2;
}

// How reconciling saves requests as GitHub's hourly limit runs short.

const hourMs = 3_600_000;
/** The part of the limit that verifying may use. */
const verifyShare = 0.3;
/** With less than this part left, sweeps leave it to verification and to repositories that triggers name. */
const holdBelow = 0.1;
/** With less than this part left, intervals grow. */
const plentyFrom = 0.5;
const mostStretch = 4;

/** What is left of the limit, from 0 to 1. If GitHub says nothing, no limit exists. */
function shareLeft(quota: Quota | undefined, nowMs: number): number {
  if (!quota || quota.limit <= 0 || nowMs >= quota.resetAtMs) return 1;
  return quota.remaining / quota.limit;
}

/** The interval itself while plenty is left, and up to four times as long when little is. */
export function stretched(intervalMs: number, quota: Quota | undefined, nowMs: number): number {
  const share = shareLeft(quota, nowMs);
  return share >= plentyFrom ? intervalMs : intervalMs * Math.min(mostStretch, plentyFrom / share);
}

/**
 * How long a job may be silent before its run is verified. At least `leastMs`, and long enough to keep the verification
 * of all open runs within its part of the limit.
 */
export function verifyAfterMs(
  leastMs: number,
  openRuns: number,
  quota: Quota | undefined,
  nowMs: number,
): number {
  const limit = quota?.limit ?? 0;
  const affordableMs = limit > 0 ? (openRuns * hourMs) / (verifyShare * limit) : 0;
  return stretched(Math.max(leastMs, affordableMs), quota, nowMs);
}

/** Until when sweeps are held back, in ms since 1970. 0 if they are not. */
export function sweepsHeldUntilMs(quota: Quota | undefined, nowMs: number): number {
  return quota && shareLeft(quota, nowMs) < holdBelow ? quota.resetAtMs : 0;
}

/** After this many failures in a row the trouble is taken to be GitHub's own. */
const failuresInARow = 3;
const troubleMs = 10_000;

/** Decides when to leave GitHub alone. Times are ms since 1970 by our clock. */
export class Pause {
  private wantedUntilMs = 0;
  private troubleUntilMs = 0;
  private failures = 0;
  private lastFailed: string | undefined;

  get untilMs(): number {
    return Math.max(this.wantedUntilMs, this.troubleUntilMs);
  }

  succeeded(): void {
    this.failures = 0;
    this.lastFailed = undefined;
  }

  /** `piece` is what could not be read. If only one piece keeps failing, GitHub itself is fine. */
  failed({ retryAfterMs }: ScalerError, nowMs: number, piece: string): void {
    if (retryAfterMs !== undefined) {
      this.wantedUntilMs = Math.max(this.wantedUntilMs, nowMs + retryAfterMs);
      return;
    }
    if (piece !== this.lastFailed) this.failures += 1;
    this.lastFailed = piece;
    if (this.failures >= failuresInARow) this.troubleUntilMs = nowMs + troubleMs;
  }

  /** Why GitHub is not asked now, for an error's message. Undefined if it is. */
  why(nowMs: number): string | undefined {
    if (this.wantedUntilMs <= nowMs) return undefined;
    const time = clockTime(this.wantedUntilMs);
    return `GitHub wants no requests until ${time}, for its rate limit or a fault of its own`;
  }
}

/** A time of day for a message: `12:34:56 UTC`. */
export function clockTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(11, 19)} UTC`;
}
