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
  | { readonly kind: 'sweep'; readonly repo: string }
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
  const { repo, underWay } = outlook;
  const rank = sweepRank(outlook);
  const dueAtMs = held(outlook.dueAtMs, notBeforeMs(rank, heldUntilMs, unseenAtMs));
  // Among equals, what has begun is brought to its end.
  return { work: { kind: 'sweep', repo }, rank: underWay ? rank - 0.5 : rank, dueAtMs };
}

/** What a trigger names anew is read though sweeps are held back. */
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
