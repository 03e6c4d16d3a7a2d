/*
 * KEDA's own part of scaling, between none and some (pkg/scaling/executor/scale_scaledobjects.go, v2.21). All
 * above that is the HPA's, hpa.ts.
 */

export interface KedaSpec {
  readonly minReplicaCount: number;
  /** The replicas of a workload without work. minReplicaCount if undefined. */
  readonly idleReplicaCount: number | undefined;
  readonly cooldownPeriodSeconds: number;
  readonly initialCooldownPeriodSeconds: number;
  /** `fallback.replicas`. Undefined without a fallback. */
  readonly fallbackReplicas: number | undefined;
}

/** What holds where the ScaledObject says nothing. */
export const kedaDefaults: KedaSpec = {
  minReplicaCount: 0,
  idleReplicaCount: undefined,
  cooldownPeriodSeconds: 300,
  initialCooldownPeriodSeconds: 0,
  fallbackReplicas: undefined,
};

export interface KedaState {
  readonly replicas: number;
  readonly createdAtMs: number;
  /** When KEDA last saw activity. Undefined means never. */
  readonly lastActiveAtMs: number | undefined;
}

/** One poll, or one pushed `true`. */
export interface KedaObservation {
  /** Whether any trigger is active. */
  readonly isActive: boolean;
  /** Whether any trigger answered with an error. */
  readonly isError: boolean;
}

export interface KedaStep {
  readonly replicas: number;
  readonly lastActiveAtMs: number | undefined;
  /** `error`: a trigger failed and nothing is changed. `idle`: there is no work and nothing to be done about it. */
  readonly because: 'activated' | 'active' | 'error' | 'cooldown' | 'deactivated' | 'min' | 'idle';
}

/** What KEDA does with an observation. An error takes no workload to zero, unless `fallback.replicas` is 0. Pure. */
export function decide(
  spec: KedaSpec,
  state: KedaState,
  { isActive, isError }: KedaObservation,
  nowMs: number,
): KedaStep {
  return isActive ? active(spec, state, isError, nowMs) : inactive(spec, state, isError, nowMs);
}

function active(spec: KedaSpec, state: KedaState, isError: boolean, nowMs: number): KedaStep {
  const { replicas, lastActiveAtMs } = state;
  const { minReplicaCount, idleReplicaCount } = spec;
  if (replicas === 0 || (idleReplicaCount !== undefined && replicas < minReplicaCount)) {
    return { replicas: Math.max(1, minReplicaCount), lastActiveAtMs: nowMs, because: 'activated' };
  }
  // With one trigger in error KEDA only marks the ScaledObject, and the cooldown clock is left as it was.
  return { replicas, lastActiveAtMs: isError ? lastActiveAtMs : nowMs, because: 'active' };
}

function inactive(spec: KedaSpec, state: KedaState, isError: boolean, nowMs: number): KedaStep {
  const { replicas, lastActiveAtMs } = state;
  const { minReplicaCount, idleReplicaCount } = spec;
  if (isError && spec.fallbackReplicas !== 0) return { replicas, lastActiveAtMs, because: 'error' };
  const above = idleReplicaCount !== undefined && replicas > idleReplicaCount;
  if (above || (replicas > 0 && minReplicaCount === 0)) {
    if (!cooledDown(spec, state, nowMs)) return { replicas, lastActiveAtMs, because: 'cooldown' };
    return { replicas: idleReplicaCount ?? minReplicaCount, lastActiveAtMs, because: 'deactivated' };
  }
  if (replicas < minReplicaCount && idleReplicaCount === undefined) {
    return { replicas: minReplicaCount, lastActiveAtMs, because: 'min' };
  }
  return { replicas, lastActiveAtMs, because: 'idle' };
}

function cooledDown(spec: KedaSpec, { createdAtMs, lastActiveAtMs }: KedaState, nowMs: number): boolean {
  return lastActiveAtMs === undefined
    ? createdAtMs + spec.initialCooldownPeriodSeconds * 1000 < nowMs
    : lastActiveAtMs + spec.cooldownPeriodSeconds * 1000 < nowMs;
}
