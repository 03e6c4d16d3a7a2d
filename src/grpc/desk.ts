import type { Activity, Answer } from '../monitor/answer.ts';
import type { Trigger } from '../trigger/trigger.ts';
import type { Reference } from '../triggers/reference.ts';

export type { Activity, Answer } from '../monitor/answer.ts';

/** Somebody who waits, and may leave. */
export interface Waiting {
  readonly signal: AbortSignal;
}

/** All that the RPC layer asks of the rest: everything is answered from memory. */
export interface Desk {
  /** Parses once per reference; throws ScalerError with all faults. No upstream. */
  trigger(reference: Reference): Trigger;
  /**
   * The trigger's answer, from memory. The first call for a cold trigger waits for its first reading, bounded
   * by `coldReadTimeoutMs` and the caller's signal; rejects with ScalerError where nothing is known. Renews the lease.
   */
  answer(trigger: Trigger, caller: Waiting): Promise<Answer>;
  /**
   * Follows a trigger until the returned function is called; the lease holds meanwhile. `told` hears the
   * present state as soon as it is known (at once if it is) and every change after that; never an error.
   */
  follow(trigger: Trigger, told: (activity: Activity) => void): () => void;
}
