import type { Trigger } from '../trigger/trigger.ts';

/** What the scaler has come to say of a trigger, where it is something else than before. */
export type DecisionKind =
  /** It became active: the workload leaves zero. */
  | 'activated'
  /** It is not active any more, and KEDA can be told so: it may scale to zero. */
  | 'deactivated'
  /** No number can be given any more, or not yet: KEDA holds its replicas, or uses `fallback`. */
  | 'failing'
  /** A number can be given again. */
  | 'recovered';

/** One line of the audit trail. No secrets, no metadata values. */
export interface Decision {
  readonly kind: DecisionKind;
  readonly trigger: Trigger;
  /** Items, as KEDA gets them; undefined while KEDA gets no number. */
  readonly value: number | undefined;
  /** What made us look: the cause of the wake that led to the read, `start` for what is first known, else `clock`. */
  readonly cause: string;
  /** Since the source confirmed the reading, in ms; undefined without one. */
  readonly ageMs: number | undefined;
  /** How long what this ends had lasted, in ms; undefined for what is first known. */
  readonly lastedMs: number | undefined;
  /** Why it fails, as KEDA is told. */
  readonly error: string | undefined;
  /** In ms since 1970. */
  readonly atMs: number;
}

/** Told of every decision, in their order; must return at once and not throw. */
export type Decided = (decision: Decision) => void;
