import type { ScalerError } from '../../../errors.ts';
import type { Pace, Reading, Target } from '../../source.ts';
import { type Working, WorkingRows } from '../../working.ts';
import type { EventsParams } from '../params.ts';
import type { Counts } from './ledger.ts';

/** Whether the ledger knows of every item that may be open. */
export type Coverage =
  | { readonly kind: 'whole' }
  /** Its items exist, but there may be more. The reason, and what to do. */
  | { readonly kind: 'partial'; readonly error: ScalerError }
  /** As before, but the items that are held give the number. */
  | { readonly kind: 'full'; readonly error: ScalerError }
  /** Events that other pods receive are missing: any item may be finished, and there may be others. */
  | { readonly kind: 'cutOff'; readonly error: ScalerError }
  /** Events that were kept are being read: an item that is open so far may be finished further on. */
  | { readonly kind: 'replaying'; readonly error: ScalerError };

/** What a reading is made from. A subject is a backlog. */
export interface EventsSnapshot {
  readonly counts: Counts;
  /** Since when the item that has been queued for longest is known to be; undefined where none is. In ms of `performance.now()`. */
  readonly queuedSinceMs: number | undefined;
  readonly coverage: Coverage;
}

/**
 * The trigger's reading: the items that are queued or running, and since when the oldest of the queued ones has been. A pod
 * that is cut off from the others keeps its last number. An event that it receives itself only wakes what is inactive.
 */
export function backlog(
  { activationItems }: EventsParams,
  { counts, queuedSinceMs, coverage }: EventsSnapshot,
  wasActive?: boolean | undefined,
): Reading {
  const items = counted.reduce((sum, state) => sum + counts[state], 0);
  const working = (): Working => workingOf(counts);
  const active = items > activationItems;
  const isWhole = coverage.kind === 'whole';
  if (isWhole || (coverage.kind === 'full' && active)) {
    const oldest = queuedSinceMs !== undefined && { oldest: { sinceMs: queuedSinceMs, atLeast: !isWhole } };
    return { kind: 'known', items, active, ...oldest, detail: () => ({ ...counts }), working };
  }
  const { error } = coverage;
  if (coverage.kind === 'replaying' || !active || (coverage.kind === 'cutOff' && wasActive === true))
    return { kind: 'unknown', error };
  return { kind: 'active', why: `${items} items by events so far; ${error.message}`, working };
}

/** An item counts from its first event until it is finished, or nothing was heard of it for `ttlSeconds`. */
const counted = ['queued', 'running'] as const;

function workingOf(counts: Counts): Working {
  const rows = new WorkingRows();
  for (const state of counted) {
    rows.add({ name: state, items: counts[state], because: 'counts', said: { workItems: counts[state] } });
  }
  return rows.working('states', [
    'items that are finished, or that nothing was heard of for ttlSeconds, do not count',
  ]);
}

export function target({ backlog, targetItems, activationItems }: EventsParams): Target {
  return { perReplica: targetItems, activation: activationItems, nameParts: [backlog] };
}

/** Events wake the subject; this is for items that expire, and costs nothing. */
const readMs = 10_000;

export function pace(): Pace {
  return { nextReadMs: readMs, watch: false };
}
