import type { Measured } from './resolve.ts';

/** What the scaler has come to say of a trigger, where it is something else than before. */
export type DecisionKind =
  /** It became active: the workload leaves zero. */
  | 'activated'
  /** It is no longer active, and KEDA gets an answer: it may scale to zero. */
  | 'deactivated'
  /** No number can be given any more, or not yet: KEDA holds its replicas, or uses `fallback`. */
  | 'failing'
  /** A number can be given again. */
  | 'recovered'
  /** The HPA was made to look until it had seen all growth. */
  | 'surged';

/** What the HPA was made to do. */
export interface SurgeCourse {
  /** Replicas: those that the HPA was last told of (1 where KEDA has just started the first), and those that it came to. */
  readonly from: number;
  readonly to: number;
  /** From the edge or growth to the GetMetrics that told the HPA of the last of them. */
  readonly ms: number;
  readonly nudges: number;
}

/** One line of the audit trail. No secrets, no metadata values. */
export interface Decision {
  readonly kind: DecisionKind;
  /** The trigger as it was then. */
  readonly trigger: Pick<Measured, 'source' | 'connection' | 'metricName' | 'target'> & {
    readonly id: string;
    readonly reference: { readonly namespace: string; readonly name: string };
  };
  /** Items, as KEDA gets them; undefined while KEDA gets no number. */
  readonly value: number | undefined;
  /** What made us look: the cause of the wake that led to the read, `start` for what is first known, else `clock`. */
  readonly cause: string;
  /** Since the source confirmed the reading, in ms; undefined without one. */
  readonly ageMs: number | undefined;
  /** How long what this ends had lasted, in ms; undefined for what is first known. */
  readonly lastedMs: number | undefined;
  /** Of a surge. */
  readonly surge?: SurgeCourse;
  /** The error that KEDA gets. */
  readonly error: string | undefined;
  /** In ms since 1970. */
  readonly atMs: number;
}

/** Told of every decision, in their order; must return at once and not throw. */
export type Decided = (decision: Decision) => void;

export interface Change {
  readonly kind: DecisionKind;
  /** How long what this ends had lasted, in ms; undefined for what is first known. */
  readonly lastedMs: number | undefined;
  readonly surge?: SurgeCourse;
}

/**
 * The last announced state of one trigger. `active` and `up` (KEDA gets a number) are undefined while unknown. To be inactive
 * or up at first is no change.
 */
export class Told {
  active: boolean | undefined;
  up: boolean | undefined;
  /** When it became active or inactive. */
  activeSinceMs = Number.NEGATIVE_INFINITY;
  private upSinceMs = 0;

  /** The changes, in the order of their causes: recovered before activated, activated before failing. */
  take(active: boolean | undefined, up: boolean | undefined, nowMs: number): readonly Change[] {
    const recovered = this.up === false && up === true;
    const failing = this.up !== false && up === false;
    const ended: Change = {
      kind: recovered ? 'recovered' : 'failing',
      lastedMs: this.up === undefined ? undefined : nowMs - this.upSinceMs,
    };
    if (up !== undefined && up !== this.up) {
      this.up = up;
      this.upSinceMs = nowMs;
    }
    const activity = this.takeActivity(active, nowMs);
    if (recovered) return [ended, ...activity];
    return failing ? [...activity, ended] : activity;
  }

  private takeActivity(active: boolean | undefined, nowMs: number): readonly Change[] {
    if (active === undefined || active === this.active) return [];
    // KEDA gets an error and holds its replicas. It may scale to zero only after it gets an answer.
    if (!active && this.up !== true) return [];
    const lastedMs = this.active === undefined ? undefined : nowMs - this.activeSinceMs;
    const first = this.active === undefined;
    this.active = active;
    this.activeSinceMs = nowMs;
    if (active) return [{ kind: 'activated', lastedMs }];
    return first ? [] : [{ kind: 'deactivated', lastedMs }];
  }
}
