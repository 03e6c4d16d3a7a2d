import { attempt, ScalerError } from '../errors.ts';
import { type DrainStep, describeDrain } from '../scaling/drain.ts';
import { replicasFor } from '../scaling/metric.ts';
import type { Detail, Reading } from '../sources/source.ts';
import type { Working } from '../sources/working.ts';
import type { Reference } from './reference.ts';
import type { Measured } from './resolve.ts';

/** One trigger at one moment. Whatever shows it, remembers it or decides by it goes by this. */
export interface Standing {
  readonly nowMs: number;
  readonly id: string;
  readonly reference: Reference;
  /** As it was last resolved; undefined for a trigger that never was. */
  readonly measured: Measured | undefined;
  /** Why it is refused; undefined where it is not. */
  readonly refusal: ScalerError | undefined;
  /** The reading that answers come of: fresh, and a number of items if it has one. */
  readonly reading: Exclude<Reading, { kind: 'unknown' }> | undefined;
  /** Undefined: KEDA gets an error. */
  readonly active: boolean | undefined;
  /** Whether KEDA gets a number. */
  readonly up: boolean;
  /** That number. */
  readonly value: number | undefined;
  /** Since the source last confirmed the last good reading, in ms; infinite without one. */
  readonly ageMs: number;
  /** Under `policy: drain`. */
  readonly drain: DrainStep | undefined;
  /** Why it cannot be read, or not be resolved. */
  readonly error: ScalerError | undefined;
}

/** What else is shown of it. Times are of the monotonic clock. */
export interface Remembered {
  readonly surge: SurgeState | undefined;
  readonly lastNudgeAtMs: number | undefined;
  readonly lastWake: { readonly cause: string; readonly atMs: number } | undefined;
  readonly lastError: { readonly message: string; readonly atMs: number } | undefined;
}

/** Whether the HPA is made to look where a trigger grows: `ready` where it is, and quiet. */
export type SurgeState = 'ready' | 'surging' | 'left alone' | 'no stream' | 'off';

/** One trigger as people see it: on `/metrics`, `/api/triggers` and in `explain`. No metadata values, no secrets. */
export interface TriggerStatus {
  /** The trigger's identity; unique, and equal in every pod. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** As it was last resolved; '' for a trigger that never was. */
  readonly source: string;
  readonly connection: string;
  readonly metricName: string;
  /** The target that the HPA gets. Absent while the trigger is refused. */
  readonly target?: number;
  /** The backlog as it was read, without headroom; absent while it is not known. */
  readonly items?: number;
  /** What KEDA gets; absent while there is no number. */
  readonly value?: number;
  /** Replicas that value and target ask for; absent as the value is. */
  readonly desired?: number;
  /** Under `policy: drain`, and as long as items are known: what it reckons with. */
  readonly drain?: DrainStep;
  /** Absent while it is not known. */
  readonly active?: boolean;
  /** Time since the source last confirmed the reading; absent before the first one. */
  readonly ageMs?: number;
  /** Whether KEDA gets an answer now: there is a reading, and it is not too old. */
  readonly up: boolean;
  /** Why it is not up, or the last failure. */
  readonly error?: string;
  readonly detail?: Detail;
  /** How long the oldest item has been waiting; absent where nothing waits, or it is not known. `atLeast`: maybe for much longer. */
  readonly oldest?: { readonly ageMs: number; readonly atLeast: boolean };
  /** Absent while it is refused. */
  readonly surge?: SurgeState;
  /** The last event that led to a reading, and why it did; absent before the first. */
  readonly lastWake?: { readonly cause: string; readonly ageMs: number };
  /** When the HPA was last made to look. */
  readonly lastNudge?: { readonly ageMs: number };
  /** The last failure, if it has ended. */
  readonly lastError?: { readonly message: string; readonly ageMs: number };
}

/** The same without the working, which takes longer to make than all the rest. */
export type TriggerSummary = Omit<TriggerStatus, 'detail'>;

export function statusOf(standing: Standing, remembered: Remembered): TriggerStatus {
  const detail = attempt(() => detailOf(standing));
  return {
    ...summaryOf(standing, remembered),
    ...(detail && !(detail instanceof ScalerError) && { detail }),
  };
}

export function summaryOf(standing: Standing, remembered: Remembered): TriggerSummary {
  const { nowMs, id, reference, measured, refusal, active, up, value, ageMs, drain, error } = standing;
  const { surge, lastWake, lastNudgeAtMs, lastError } = remembered;
  const known = knownOf(standing);
  const { items, oldest } = known ?? {};
  return {
    id,
    namespace: reference.namespace,
    name: reference.name,
    source: measured?.source.kind ?? '',
    connection: measured?.connection.name ?? '',
    metricName: measured?.metricName ?? '',
    up,
    ...(measured && !refusal && { target: measured.target.perReplica }),
    ...(items !== undefined && { items }),
    ...(value !== undefined && measured && { value, desired: replicasFor({ value, ...measured.target }) }),
    ...(known && drain && { drain }),
    ...(oldest && { oldest: { ageMs: Math.max(0, nowMs - oldest.sinceMs), atLeast: oldest.atLeast } }),
    ...(active !== undefined && { active }),
    ...(Number.isFinite(ageMs) && { ageMs }),
    ...(error && { error: error.message }),
    ...(surge && { surge }),
    ...(lastWake && { lastWake: { cause: lastWake.cause, ageMs: nowMs - lastWake.atMs } }),
    ...(lastNudgeAtMs !== undefined && { lastNudge: { ageMs: nowMs - lastNudgeAtMs } }),
    ...(lastError && !error && { lastError: { message: lastError.message, ageMs: nowMs - lastError.atMs } }),
  };
}

/** Its reading where that has a number of items. */
export function knownOf({ reading }: Standing): Extract<Reading, { kind: 'known' }> | undefined {
  return reading?.kind === 'known' ? reading : undefined;
}

/** The working behind its number: the source's, and what became of that. */
function detailOf(standing: Standing): Detail | undefined {
  const { measured, active, drain } = standing;
  const { headroom, ignored = [] } = measured ?? {};
  const detail = knownOf(standing)?.detail();
  return (
    detail && {
      ...detail,
      ...(drain && describeDrain(drain)),
      ...(ignored.length > 0 && { ignored: ignored.join(', ') }),
      ...(headroom && headroom.replicas > 0 && active && { headroomReplicas: headroom.replicas }),
    }
  );
}

/** The parts of its number at the time of the read. Undefined without a number, or if it is too old. */
export function workingOf({ reading }: Standing): Working | undefined {
  const working = attempt(() => reading?.working?.());
  return working instanceof ScalerError ? undefined : working;
}
