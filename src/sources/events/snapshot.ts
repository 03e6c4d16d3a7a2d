import type { ScalerError } from '../../errors.ts';
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
