import type { ScalerError } from '../../../errors.ts';
import type { Quota } from '../upstream/api.ts';

/*
 * What is the most urgent to ask GitHub, now. Pure. All times are ms since 1970 by our clock; what is never
 * due is due at infinity.
 */

export interface RepoOutlook {
  readonly repo: string;
  /** A live trigger names it. */
  readonly named: boolean;
  /** It is on a list, has been read, or events have told of it; else only a trigger says that it is there. */
  readonly seen: boolean;
  /** It has been swept, or is known to be missing. */
  readonly synced: boolean;
  readonly active: boolean;
  /** A sweep of it has begun. */
  readonly underWay: boolean;
  readonly dueAtMs: number;
  /** Since when an answer of GitHub's to another pod will do to begin with. Undefined: it is to be asked now. */
  readonly sinceMs: number | undefined;
}

export interface Outlook {
  readonly nowMs: number;
  /** GitHub has told us to stay away until then. */
  readonly pausedUntilMs: number;
  /** Sweeps leave what remains of the limit to others until then. */
  readonly heldUntilMs: number;
  /** When there is something left again of what may be asked about names that nobody has seen. */
  readonly unseenAtMs: number;
  readonly verifyAtMs: number;
  readonly deliveriesAtMs: number;
  readonly listAtMs: number;
  /** Whether the list of repositories has been had once. */
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
 * In order. What a trigger names goes before the first sync of the rest, which may take an hour; but a name that nobody
 * else knows may be made up, thousands of them at a time, and waits for all that is known to be there.
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

/** The most urgent work that is due, or how long there is none. */
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
  // Among equals, what has begun is brought to its end.
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
 * Since when an answer that another pod got is as good as a new one, for what is read `everyMs` and was last read at
 * `readAtMs`. As it counts from when it was asked for, what is read next is due sooner: after one or two rounds all pods
 * read at the same time, and the same.
 */
export function goodSinceMs(readAtMs: number | undefined, everyMs: number, nowMs: number): number {
  return readAtMs === undefined ? nowMs - everyMs : readAtMs + everyMs / 2;
}

// How reconciling makes room as GitHub's hourly limit runs short.

const hourMs = 3_600_000;
/** The part of the limit that verifying may use. */
const verifyShare = 0.3;
/** With less than this part left, sweeps leave it to verification and to what triggers name. */
const holdBelow = 0.1;
/** With less than this part left, intervals grow. */
const plentyFrom = 0.5;
const mostStretch = 4;

/** What is left of the limit, from 0 to 1. Where GitHub says nothing there is no limit. */
function shareLeft(quota: Quota | undefined, nowMs: number): number {
  if (!quota || quota.limit <= 0 || nowMs >= quota.resetAtMs) return 1;
  return quota.remaining / quota.limit;
}

/** The interval as it is while plenty is left, up to four times as long when little is. */
export function stretched(intervalMs: number, quota: Quota | undefined, nowMs: number): number {
  const share = shareLeft(quota, nowMs);
  return share >= plentyFrom ? intervalMs : intervalMs * Math.min(mostStretch, plentyFrom / share);
}

/**
 * How long a job may be silent before its run is verified: at least `leastMs`, and so long that verifying every
 * open run stays within its part of the limit.
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

/** Until when sweeps are held back, in ms since 1970; 0 where they are not. */
export function sweepsHeldUntilMs(quota: Quota | undefined, nowMs: number): number {
  return quota && shareLeft(quota, nowMs) < holdBelow ? quota.resetAtMs : 0;
}

/** After so many failures in a row, GitHub itself is taken to be in trouble. */
const failuresInARow = 3;
const troubleMs = 10_000;

/** When GitHub is to be left alone altogether. Times in ms since 1970 by our clock. */
export class Pause {
  private wantedUntilMs = 0;
  private troubleUntilMs = 0;
  private failures = 0;
  private lastFailed: string | undefined;

  get untilMs(): number {
    return Math.max(this.wantedUntilMs, this.troubleUntilMs);
  }

  /** GitHub answered. */
  succeeded(): void {
    this.failures = 0;
    this.lastFailed = undefined;
  }

  /** `piece`: what was asked for; one that stays broken is no trouble of GitHub's. */
  failed({ retryAfterMs }: ScalerError, nowMs: number, piece: string): void {
    if (retryAfterMs !== undefined) {
      this.wantedUntilMs = Math.max(this.wantedUntilMs, nowMs + retryAfterMs);
      return;
    }
    if (piece !== this.lastFailed) this.failures += 1;
    this.lastFailed = piece;
    if (this.failures >= failuresInARow) this.troubleUntilMs = nowMs + troubleMs;
  }

  /** Why GitHub is not asked now, for an error's message; undefined where it may be. */
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
