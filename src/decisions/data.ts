import type { Decision, DecisionKind } from '../triggers/decision.ts';

/** A decision as it is logged and posted: plain JSON, without secrets and metadata values. */
export interface DecisionData {
  readonly decision: DecisionKind;
  readonly namespace: string;
  /** The ScaledObject's or ScaledJob's. */
  readonly name: string;
  /** The trigger's identity; unique, and equal in every pod. */
  readonly trigger: string;
  readonly source: string;
  readonly connection: string;
  readonly metric: string;
  readonly cause: string;
  readonly value?: number;
  readonly target: number;
  readonly activation: number;
  readonly ageMs?: number;
  readonly lastedMs?: number;
  readonly error?: string;
}

export function dataOf(decision: Decision): DecisionData {
  const { kind, trigger, cause, value, ageMs, lastedMs, error } = decision;
  return {
    decision: kind,
    namespace: trigger.reference.namespace,
    name: trigger.reference.name,
    trigger: trigger.id,
    source: trigger.source.kind,
    connection: trigger.connection.name,
    metric: trigger.metricName,
    cause,
    ...(value !== undefined && { value }),
    target: trigger.target.perReplica,
    activation: trigger.target.activation,
    ...(ageMs !== undefined && { ageMs: Math.round(ageMs) }),
    ...(lastedMs !== undefined && { lastedMs: Math.round(lastedMs) }),
    ...(error !== undefined && { error }),
  };
}
