/*
 * What the HPA does with KEDA's numbers, as of Kubernetes 1.36 (pkg/controller/podautoscaler/horizontal.go and
 * replica_calculator.go), for an HPA without `behavior`. With one, its own policies take the place of scaleUpLimit.
 */

/** One external metric. The value is the sum over what KEDA returned for it. */
export interface HpaMetric {
  readonly type: 'AverageValue' | 'Value';
  readonly value: number;
  readonly target: number;
}

export interface HpaSpec {
  readonly metrics: readonly HpaMetric[];
  /** KEDA's minReplicaCount. The HPA gets at least 1: to and from 0 is KEDA's own business. */
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
  /** `--horizontal-pod-autoscaler-tolerance`. */
  readonly tolerance: number;
  /** `--horizontal-pod-autoscaler-downscale-stabilization`, in ms. */
  readonly downscaleStabilizationMs: number;
}

/** What holds where the ScaledObject and the cluster say nothing. */
export const hpaDefaults = {
  minReplicaCount: 0,
  maxReplicaCount: 100,
  tolerance: 0.1,
  downscaleStabilizationMs: 300_000,
} as const satisfies Omit<HpaSpec, 'metrics'>;

export interface HpaState {
  readonly replicas: number;
  /** Only `Value` metrics look at it; all replicas where it is left out. */
  readonly readyReplicas?: number;
  /** What the HPA recommended before; undefined for one that was just created. */
  readonly recommendations: readonly Recommendation[] | undefined;
}

/** The rule that had the last word. `disabled`: the HPA does nothing at 0 replicas. */
export type HpaBecause = 'disabled' | 'metric' | 'tolerance' | 'stabilized' | 'min' | 'max' | 'scaleUpLimit';

export interface HpaStep {
  readonly replicas: number;
  readonly because: HpaBecause;
  /** To be handed to the next sync. */
  readonly recommendations: readonly Recommendation[];
}

/** One sync of the HPA (every 15 s by default). Pure. */
export function sync(spec: HpaSpec, state: HpaState, nowMs: number): HpaStep {
  const { replicas } = state;
  const min = Math.max(1, spec.minReplicaCount);
  const max = spec.maxReplicaCount;
  // A new HPA takes the replicas it finds for its first recommendation, and so holds them for a window.
  const recommendations = state.recommendations ?? [{ atMs: nowMs, replicas }];
  if (replicas === 0) return { replicas, because: 'disabled', recommendations };
  if (replicas > max) return { replicas: max, because: 'max', recommendations };
  if (replicas < min) return { replicas: min, because: 'min', recommendations };

  const wanted = metricReplicas(spec, state);
  const windowMs = spec.downscaleStabilizationMs;
  const stable = stabilize(recommendations, wanted.replicas, nowMs, windowMs);
  const because = stable === wanted.replicas ? wanted.because : 'stabilized';
  return {
    ...withinLimits({ replicas: stable, because }, replicas, min, max),
    recommendations: recommend(recommendations, wanted.replicas, nowMs, windowMs),
  };
}

interface Proposal {
  readonly replicas: number;
  readonly because: HpaBecause;
}

/** The most that any of the metrics asks for, before limits. */
export function metricReplicas(
  { metrics, tolerance }: Pick<HpaSpec, 'metrics' | 'tolerance'>,
  { replicas, readyReplicas = replicas }: Pick<HpaState, 'replicas' | 'readyReplicas'>,
): Proposal {
  const proposals = metrics.map((metric): Proposal => {
    const value = toMilli(metric.value);
    const target = toMilli(metric.target);
    const perPod = metric.type === 'AverageValue';
    const ratio = perPod ? value / (target * replicas) : value / target;
    if (1 - tolerance <= ratio && ratio <= 1 + tolerance) return { replicas, because: 'tolerance' };
    return { replicas: Math.ceil(perPod ? value / target : ratio * readyReplicas), because: 'metric' };
  });
  const none: Proposal = { replicas: 0, because: 'metric' };
  return proposals.reduce((most, proposal) => (proposal.replicas > most.replicas ? proposal : most), none);
}

/** KEDA hands numbers over as "%.3f", and the HPA counts in thousandths. */
function toMilli(value: number): number {
  return Math.round(Number(value.toFixed(3)) * 1000);
}

/** How many replicas one sync may go up to from here. */
export function scaleUpLimit(replicas: number): number {
  return Math.max(2 * replicas, 4);
}

function withinLimits(wanted: Proposal, current: number, min: number, max: number): Proposal {
  const limit = scaleUpLimit(current);
  if (wanted.replicas < min) return { replicas: min, because: 'min' };
  if (wanted.replicas <= Math.min(limit, max)) return wanted;
  return limit < max ? { replicas: limit, because: 'scaleUpLimit' } : { replicas: max, because: 'max' };
}

/** What an HPA wanted at one sync, before stabilisation and limits. */
export interface Recommendation {
  readonly atMs: number;
  readonly replicas: number;
}

/**
 * The downscale stabilisation of the HPA (stabilizeRecommendation in horizontal.go, Kubernetes 1.36): the most
 * that was wanted within the window. It can also lift above the present count, when limits kept that low before.
 */
export function stabilize(
  past: readonly Recommendation[],
  wanted: number,
  nowMs: number,
  windowMs: number,
): number {
  return within(past, nowMs, windowMs).reduce((most, { replicas }) => Math.max(most, replicas), wanted);
}

/** The recommendations with the new one; those out of the window are dropped, which bounds them. */
export function recommend(
  past: readonly Recommendation[],
  replicas: number,
  nowMs: number,
  windowMs: number,
): readonly Recommendation[] {
  return [...within(past, nowMs, windowMs), { atMs: nowMs, replicas }];
}

function within(past: readonly Recommendation[], nowMs: number, windowMs: number): readonly Recommendation[] {
  return past.filter(({ atMs }) => atMs >= nowMs - windowMs);
}
