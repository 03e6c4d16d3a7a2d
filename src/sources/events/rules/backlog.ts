import type { ScalerError } from '../../../errors.ts';
import type { Pace, Reading, Target } from '../../source.ts';
import type { EventsParams } from '../params.ts';
import type { Counts } from './ledger.ts';

/** Whether the ledger knows of every item that may be open. */
export type Coverage =
  | { readonly kind: 'whole' }
  /** What it knows of is there; there may be more: the reason, and what to do. */
  | { readonly kind: 'partial'; readonly error: ScalerError }
  /** Events that were kept are being read: an item that is open so far may be finished further on. */
  | { readonly kind: 'replaying'; readonly error: ScalerError };

/** What a reading is made from. A subject is a backlog. */
export interface EventsSnapshot {
  readonly counts: Counts;
  /** Since when the item that has been queued for longest is known to be; undefined where none is. In ms of `performance.now()`. */
  readonly queuedSinceMs: number | undefined;
  readonly coverage: Coverage;
}

/** The trigger's reading: the items that are queued or running, and since when the oldest of the queued ones has been. */
export function backlog(
  { activationItems }: EventsParams,
  { counts, queuedSinceMs, coverage }: EventsSnapshot,
): Reading {
  const items = counts.queued + counts.running;
  const active = items > activationItems;
  if (coverage.kind === 'whole') {
    const oldest = queuedSinceMs !== undefined && { oldest: { sinceMs: queuedSinceMs, atLeast: false } };
    return { kind: 'known', items, active, ...oldest, detail: () => ({ ...counts }) };
  }
  const { error } = coverage;
  if (coverage.kind === 'replaying' || !active) return { kind: 'unknown', error };
  return { kind: 'active', why: `${items} items by events so far; ${error.message}` };
}

export function target({ backlog, targetItems, activationItems }: EventsParams): Target {
  return { perReplica: targetItems, activation: activationItems, nameParts: [backlog] };
}

/** Events wake the subject; this is for items that expire, and costs nothing. */
const readMs = 10_000;

export function pace(): Pace {
  return { nextReadMs: readMs, watch: false };
}
