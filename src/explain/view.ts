import type { HpaStep } from '../scaling/hpa.ts';
import type { Detail } from '../sources/source.ts';
import type { Working } from '../sources/working.ts';

/** A parameter as it holds. `hidden`: it is a secret, or came from the workload's environment, and is never shown. */
export interface ParameterView {
  readonly name: string;
  readonly value: string;
  readonly origin: 'metadata' | 'FromEnv' | 'default';
  readonly hidden: boolean;
}

/** What one RPC answers, or its error. `silent`: a stream that says nothing, as it does while nothing is known. */
export type AnswerView =
  | { readonly rpc: Rpc; readonly kind: 'answer'; readonly fields: Readonly<Record<string, string>> }
  | { readonly rpc: Rpc; readonly kind: 'error'; readonly code: string; readonly message: string }
  | { readonly rpc: Rpc; readonly kind: 'silent' };

/** The RPCs that KEDA calls. */
export type Rpc = 'IsActive' | 'StreamIsActive' | 'GetMetricSpec' | 'StreamMetricSpec' | 'GetMetrics';

/** The view of one trigger. Foreign texts in it may be unprintable. */
export interface TriggerView {
  /** `ScaledObject shop/orders, triggers[0]`. */
  readonly title: string;
  readonly parameters: readonly ParameterView[];
  /** Why there is no answer, or what will surprise. */
  readonly faults: readonly string[];
  /** The source's numbers. Undefined before the first read. */
  readonly detail?: Detail | undefined;
  /** The parts of its number. Undefined before the first read, or if only the scaler has them. */
  readonly working?: Working | undefined;
  readonly answers: readonly AnswerView[];
  /** What this view cannot know. */
  readonly notes: readonly string[];
}

/** A change of the replicas, or the rule that keeps them. */
export interface ScalingStep {
  /** Since now. */
  readonly atMs: number;
  readonly by: 'KEDA' | 'HPA';
  readonly replicas: number;
  readonly because: string;
  /** It looks because of a nudge, not by its clock. */
  readonly nudged: boolean;
}

/** What becomes of a workload while nothing but time changes. */
export type ScalingView =
  | {
      readonly kind: 'ScaledObject';
      readonly currentReplicas: number;
      readonly isActive: boolean;
      readonly wanted: number;
      readonly steps: readonly ScalingStep[];
      readonly notes: readonly string[];
    }
  | {
      readonly kind: 'ScaledJob';
      readonly running: number;
      readonly strategy: string;
      readonly creates: number;
      readonly notes: readonly string[];
    }
  /** Only some of its triggers answer, and KEDA uses all of them. */
  | { readonly kind: 'unknown'; readonly because: readonly string[] };

/** What the HPA's rules are called for people. */
export const hpaReasons: Readonly<Record<HpaStep['because'], string>> = {
  disabled: 'at 0 replicas the HPA does nothing',
  unknown: 'a metric cannot be had, so that nothing is removed',
  metric: 'what the metric asks for',
  tolerance: 'within the tolerance of what is asked for',
  stabilized: 'what was asked for within the stabilization window',
  min: 'minReplicaCount',
  max: 'maxReplicaCount',
  scaleUpLimit: 'the most that one look, or the scaleUp policies, may add',
  scaleDownLimit: 'the most that the scaleDown policies may remove',
};
