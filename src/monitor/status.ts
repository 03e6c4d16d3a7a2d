import type { Detail } from '../sources/source.ts';
import type { TriggerState } from './trigger-state.ts';

/** One trigger as people see it: on `/metrics`, `/api/triggers` and in `explain`. No metadata values, no secrets. */
export interface TriggerStatus {
  /** The trigger's identity; unique, and equal in every pod. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  readonly connection: string;
  readonly metricName: string;
  /** What one replica is good for, as the HPA is told. */
  readonly target: number;
  /** Absent while the number is not known. */
  readonly value?: number;
  /** Absent while it is not known. */
  readonly active?: boolean;
  /** Time since the source last confirmed the reading; absent before the first one. */
  readonly ageMs?: number;
  /** Whether KEDA gets an answer now: there is a reading, and it is not too old. */
  readonly up: boolean;
  /** Why it is not up, or the last failure. */
  readonly error?: string;
  readonly detail?: Detail;
}

export function statusOf(state: TriggerState, nowMs: number): TriggerStatus {
  const { trigger, reading, error } = state;
  const ageMs = state.ageMs(nowMs);
  const answer = reading?.kind === 'known' && ageMs <= trigger.maxStalenessMs ? reading : undefined;
  return {
    id: trigger.id,
    namespace: trigger.reference.namespace,
    name: trigger.reference.name,
    source: trigger.source.kind,
    connection: trigger.connection.name,
    metricName: trigger.metricName,
    target: trigger.target.perReplica,
    up: answer !== undefined,
    ...(answer && { value: answer.items, detail: answer.detail() }),
    ...(state.wasActive !== undefined && { active: state.wasActive }),
    ...(Number.isFinite(ageMs) && { ageMs }),
    ...(error && { error: error.message }),
  };
}
