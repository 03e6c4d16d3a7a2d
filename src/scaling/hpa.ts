/*
 * What the HPA does with KEDA's numbers, as of Kubernetes 1.37 (pkg/controller/podautoscaler/horizontal.go and
 * replica_calculator.go): external metrics, and the `behavior` of autoscaling/v2.
 */

/** One external metric. The value is the sum over what KEDA returned for it; undefined where KEDA gave an error. */
export interface HpaMetric {
  readonly type: 'AverageValue' | 'Value';
  readonly value: number | undefined;
  readonly target: number;
}

export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}

/** The rules for one direction. */
export interface ScalingRules {
  readonly stabilizationWindowSeconds: number;
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled';
  readonly policies: readonly ScalingPolicy[];
  /** Overrides that of the cluster, as a part of the target. */
  readonly tolerance?: number;
}

/** A `behavior` with all defaults of the API server and the controller; see `defaultedBehavior`. */
export interface HpaBehavior {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
}

/** A `behavior` as it is written, under `advanced.horizontalPodAutoscalerConfig` of a ScaledObject. */
export interface GivenBehavior {
  readonly scaleUp?: Partial<ScalingRules> | undefined;
  readonly scaleDown?: Partial<ScalingRules> | undefined;
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
  /** Where the HPA has none, its rules are those of `mostAfterLook`, and no change is remembered. */
  readonly behavior?: HpaBehavior;
}

/** What holds where the ScaledObject and the cluster say nothing. */
export const hpaDefaults = {
  minReplicaCount: 0,
  maxReplicaCount: 100,
  tolerance: 0.1,
  downscaleStabilizationMs: 300_000,
} as const satisfies Omit<HpaSpec, 'metrics'>;

/** What an HPA wanted at one sync, before stabilization and limits. */
export interface Recommendation {
  readonly atMs: number;
  readonly replicas: number;
}

/** By how many replicas one sync changed the workload, up or down; always more than 0. */
export interface ScaleEvent {
  readonly atMs: number;
  readonly change: number;
}

/** What an HPA remembers from one sync to the next; bounded by its windows and periods. */
export interface HpaMemory {
  /** Undefined for an HPA that was just created. */
  readonly recommendations?: readonly Recommendation[] | undefined;
  /** In the places where the controller has them: a new event takes the place of one that is older than all periods. */
  readonly scaleUps?: readonly ScaleEvent[];
  readonly scaleDowns?: readonly ScaleEvent[];
}

/** The requested replicas and the existing pods. */
export interface HpaReplicas {
  readonly replicas: number;
  /** The existing pods, by the status of the workload. All replicas by default. */
  readonly statusReplicas?: number;
  /** Used only for `Value` metrics. `statusReplicas` by default. */
  readonly readyReplicas?: number;
}

export interface HpaState extends HpaMemory, HpaReplicas {}

/**
 * The rule that had the last word.
 *
 * - `disabled`: the HPA does nothing at 0 replicas.
 * - `unknown`: no metric can be had, or one cannot and the others ask for fewer replicas.
 * - `stabilized`: recommendations of the window hold it.
 * - `scaleUpLimit`, `scaleDownLimit`: the policies of `behavior`, or max(2 r, 4) without one.
 */
export type HpaBecause =
  | 'disabled'
  | 'unknown'
  | 'metric'
  | 'tolerance'
  | 'stabilized'
  | 'min'
  | 'max'
  | 'scaleUpLimit'
  | 'scaleDownLimit';

export interface HpaStep extends HpaMemory {
  readonly replicas: number;
  readonly because: HpaBecause;
  readonly recommendations: readonly Recommendation[];
}

interface Proposal {
  readonly replicas: number;
  readonly because: HpaBecause;
}

/** One sync of the HPA: every 15 s by default, and when its spec has changed. Pure; all times are of one clock. */
export function sync(spec: HpaSpec, state: HpaState, nowMs: number): HpaStep {
  const { replicas } = state;
  // A new HPA takes the replicas it finds for its first recommendation, and so holds them for a window.
  const memory = { ...state, recommendations: state.recommendations ?? [{ atMs: nowMs, replicas }] };
  const forced = withoutMetrics(spec, replicas);
  if (forced) return rescaled(spec, memory, forced, nowMs);
  const wanted = metricReplicas(spec, state);
  if (wanted.because === 'unknown') return rescaled(spec, memory, wanted, nowMs);
  const { recommendations } = memory;
  const stable = stabilized(spec, { ...state, recommendations }, wanted.replicas, nowMs);
  const because = stable === wanted.replicas ? wanted.because : 'stabilized';
  const limited = withinLimits(spec, memory, { replicas: stable, because }, nowMs);
  const remembered = {
    ...memory,
    recommendations: [
      ...recommendations.filter(({ atMs }) => atMs >= nowMs - longestWindowMs(spec)),
      { atMs: nowMs, replicas: wanted.replicas },
    ],
  };
  return rescaled(spec, remembered, limited, nowMs);
}

/** Decisions before any metric is read. */
function withoutMetrics(spec: HpaSpec, replicas: number): Proposal | undefined {
  const min = leastReplicas(spec);
  const max = spec.maxReplicaCount;
  if (replicas === 0) return { replicas, because: 'disabled' };
  if (replicas > max) return { replicas: max, because: 'max' };
  return replicas < min ? { replicas: min, because: 'min' } : undefined;
}

function leastReplicas({ minReplicaCount }: HpaSpec): number {
  return Math.max(1, minReplicaCount);
}

/** The step, and what is remembered of it: changes count only under a `behavior`. */
function rescaled(
  { behavior }: HpaSpec,
  { replicas, recommendations, scaleUps = [], scaleDowns = [] }: HpaState & HpaStepMemory,
  to: Proposal,
  nowMs: number,
): HpaStep {
  const step = { ...to, recommendations };
  if (!behavior) return step;
  const change = to.replicas - replicas;
  const event = { atMs: nowMs, change: Math.abs(change) };
  return {
    ...step,
    scaleUps: change > 0 ? stored(scaleUps, event, behavior.scaleUp) : scaleUps,
    scaleDowns: change < 0 ? stored(scaleDowns, event, behavior.scaleDown) : scaleDowns,
  };
}

/**
 * Events are forgotten one at a time, when another takes their place (storeScaleEvent). Until then they count in longer
 * periods of the other direction.
 */
function stored(events: readonly ScaleEvent[], event: ScaleEvent, rules: ScalingRules): ScaleEvent[] {
  const sinceMs = event.atMs - longestPeriodMs(rules);
  const outdated = events.findLastIndex(({ atMs }) => atMs < sinceMs);
  return outdated < 0 ? [...events, event] : events.with(outdated, event);
}

interface HpaStepMemory {
  readonly recommendations: readonly Recommendation[];
}

// --- What the metrics ask for.

/**
 * The most that any of the metrics asks for, before limits. Where one cannot be had the others may only add replicas
 * (computeReplicasForMetrics).
 */
function metricReplicas(
  spec: Pick<HpaSpec, 'metrics' | 'tolerance' | 'behavior'>,
  state: HpaReplicas,
): Proposal {
  const known = spec.metrics
    .map((metric) => replicasOf(metric, spec, state))
    .filter((proposal) => proposal !== undefined);
  const none: Proposal = { replicas: 0, because: 'metric' };
  const most = known.reduce((most, proposal) => (proposal.replicas > most.replicas ? proposal : most), none);
  const isMissing = known.length < spec.metrics.length;
  return isMissing && (known.length === 0 || most.replicas < state.replicas)
    ? { replicas: state.replicas, because: 'unknown' }
    : most;
}

/** Undefined where it cannot be had (GetExternalPerPodMetricReplicas, GetExternalMetricReplicas). */
function replicasOf(
  { type, ...metric }: HpaMetric,
  { tolerance, behavior }: Pick<HpaSpec, 'tolerance' | 'behavior'>,
  { replicas, statusReplicas = replicas, readyReplicas = statusReplicas }: HpaReplicas,
): Proposal | undefined {
  if (metric.value === undefined) return undefined;
  const value = toMilli(metric.value);
  const target = toMilli(metric.target);
  const perPod = type === 'AverageValue';
  const ratio = perPod ? value / (target * statusReplicas) : value / target;
  const least = 1 - toleranceOf(behavior?.scaleDown, tolerance);
  const most = 1 + toleranceOf(behavior?.scaleUp, tolerance);
  if (least <= ratio && ratio <= most) {
    return { replicas: perPod ? statusReplicas : replicas, because: 'tolerance' };
  }
  if (perPod) return { replicas: Math.ceil(value / target), because: 'metric' };
  // It counts pods, and treats zero pods as an error.
  if (statusReplicas === 0) return undefined;
  return { replicas: Math.ceil(ratio * readyReplicas), because: 'metric' };
}

/**
 * KEDA hands numbers over as "%.3f", and the HPA counts in thousandths, in an int64: from 9.2 · 10¹⁵ on what it has in hand
 * may be anything (Quantity.MilliValue overflows).
 */
function toMilli(value: number): number {
  return Math.round(Number(value.toFixed(3)) * 1000);
}

/**
 * As a float of Go's: the API server keeps 0.7 as 700m, and the controller multiplies 700 by 0.001, which is a little
 * more (Quantity.AsApproximateFloat64).
 */
function toleranceOf(rules: ScalingRules | undefined, ofCluster: number): number {
  if (rules?.tolerance === undefined) return ofCluster;
  const milli = Number((rules.tolerance * 1000).toFixed(6));
  if (Number.isInteger(rules.tolerance) || !Number.isInteger(milli)) return rules.tolerance;
  return milli * 0.001;
}

// --- Stabilization.

/**
 * Without a `behavior` the most that was wanted within the window (stabilizeRecommendation), which can also lift above
 * the present count when limits kept that low before. With one, the present count, brought between the least of the
 * window for scaling up and the most of that for scaling down (stabilizeRecommendationWithBehaviors).
 */
function stabilized(
  { behavior, downscaleStabilizationMs }: HpaSpec,
  { replicas, recommendations }: HpaState & HpaStepMemory,
  wanted: number,
  nowMs: number,
): number {
  if (!behavior) {
    const sinceMs = nowMs - downscaleStabilizationMs;
    return recommendations.reduce(
      (most, { atMs, replicas }) => (atMs < sinceMs ? most : Math.max(most, replicas)),
      wanted,
    );
  }
  const within = (windowMs: number): number[] => [
    wanted,
    ...recent(recommendations, nowMs, windowMs).map((one) => one.replicas),
  ];
  const least = Math.min(...within(behavior.scaleUp.stabilizationWindowSeconds * 1000));
  const most = Math.max(...within(behavior.scaleDown.stabilizationWindowSeconds * 1000));
  return Math.min(Math.max(replicas, least), most);
}

function longestWindowMs({ behavior, downscaleStabilizationMs }: HpaSpec): number {
  if (!behavior) return downscaleStabilizationMs;
  const { scaleUp, scaleDown } = behavior;
  return 1000 * Math.max(scaleUp.stabilizationWindowSeconds, scaleDown.stabilizationWindowSeconds);
}

function recent<T extends { readonly atMs: number }>(
  past: readonly T[],
  nowMs: number,
  windowMs: number,
): readonly T[] {
  return past.filter(({ atMs }) => atMs > nowMs - windowMs);
}

// --- Limits.

function withinLimits(spec: HpaSpec, state: HpaState, wanted: Proposal, nowMs: number): Proposal {
  const { replicas } = state;
  const min = leastReplicas(spec);
  const max = spec.maxReplicaCount;
  const upLimit = scaleUpLimit(spec, state, nowMs);
  if (wanted.replicas > Math.min(upLimit, max)) {
    return upLimit < max ? { replicas: upLimit, because: 'scaleUpLimit' } : { replicas: max, because: 'max' };
  }
  const downLimit = wanted.replicas < replicas ? scaleDownLimit(spec, state, nowMs) : 0;
  if (wanted.replicas >= Math.max(min, downLimit)) return wanted;
  return downLimit > min
    ? { replicas: downLimit, because: 'scaleDownLimit' }
    : { replicas: min, because: 'min' };
}

/** Without a `behavior` of its own, an HPA has no more after one look (calculateScaleUpLimit). */
export function mostAfterLook(replicas: number): number {
  return Math.max(2 * replicas, 4);
}

/** Policies give the highest count that they allow, by what has changed in the period of each (calculateScaleUpLimitWithScalingRules). */
function scaleUpLimit({ behavior }: HpaSpec, state: HpaState, nowMs: number): number {
  const { replicas } = state;
  if (!behavior) return mostAfterLook(replicas);
  const { selectPolicy, policies } = behavior.scaleUp;
  if (selectPolicy === 'Disabled') return replicas;
  const proposals = policies.map(({ type, value, periodSeconds }) => {
    const start = replicasAtStart(state, nowMs, periodSeconds);
    return type === 'Pods' ? int32(start + value) : Math.ceil(start * (1 + value / 100));
  });
  const limit = selectPolicy === 'Min' ? Math.min(...proposals) : Math.max(...proposals);
  return Math.max(replicas, limit);
}

/** The lowest count (calculateScaleDownLimitWithBehaviors). Without a `behavior` there is no limit but the minimum. */
function scaleDownLimit({ behavior }: HpaSpec, state: HpaState, nowMs: number): number {
  const { replicas } = state;
  if (!behavior) return 0;
  const { selectPolicy, policies } = behavior.scaleDown;
  if (selectPolicy === 'Disabled') return replicas;
  const proposals = policies.map(({ type, value, periodSeconds }) => {
    const start = replicasAtStart(state, nowMs, periodSeconds);
    return type === 'Pods' ? int32(start - value) : Math.trunc(start * (1 - value / 100));
  });
  const limit = selectPolicy === 'Min' ? Math.max(...proposals) : Math.min(...proposals);
  return Math.min(replicas, limit);
}

function replicasAtStart(
  { replicas, scaleUps = [], scaleDowns = [] }: HpaState,
  nowMs: number,
  periodSeconds: number,
): number {
  const changed = (events: readonly ScaleEvent[]): number =>
    recent(events, nowMs, periodSeconds * 1000).reduce((sum, { change }) => sum + change, 0);
  return replicas - changed(scaleUps) + changed(scaleDowns);
}

/** It overflows there too: with 2147483647 for `Pods`, meant as no limit, an HPA never scales up. */
function int32(value: number): number {
  return value | 0;
}

function longestPeriodMs({ policies }: ScalingRules): number {
  return 1000 * Math.max(...policies.map(({ periodSeconds }) => periodSeconds));
}

/**
 * A `behavior` with the defaults of the API server and the controller (pkg/apis/autoscaling/v2/defaults.go,
 * maybeInitScaleDownStabilizationWindow). Missing fields of each direction are filled in. Given policies replace all
 * default ones.
 */
export function defaultedBehavior(
  { scaleUp, scaleDown }: GivenBehavior,
  downscaleStabilizationMs: number = hpaDefaults.downscaleStabilizationMs,
): HpaBehavior {
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ],
      ...given(scaleUp),
    },
    scaleDown: {
      stabilizationWindowSeconds: downscaleStabilizationMs / 1000,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      ...given(scaleDown),
    },
  };
}

function given(rules: Partial<ScalingRules> = {}): Partial<ScalingRules> {
  return Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
}
