import { readBehavior } from '../scaledobjects/behavior.ts';
import type { ScaledResource, ScaledSpec } from '../scaledobjects/scaled-resource.ts';
import { defaultedBehavior, type HpaMemory, type HpaSpec, hpaDefaults, sync } from '../scaling/hpa.ts';
import { decide, type KedaSpec, kedaDefaults } from '../scaling/keda.ts';
import { replicasFor } from '../scaling/metric.ts';
import {
  jobsToCreate,
  type ScaledJobSpec,
  type ScaledJobStrategy,
  scaledJobDefaults,
} from '../scaling/scaled-job.ts';
import { asksForMore, mostNudgesAMinute } from '../scaling/surge.ts';
import { hpaReasons, type ScalingStep, type ScalingView } from './view.ts';

/** What KEDA hears of one trigger now. */
export interface TriggerDemand {
  readonly metricType: 'AverageValue' | 'Value';
  readonly active: boolean;
  /** Undefined: it answers with an error. */
  readonly value: number | undefined;
  readonly target: number;
  /** Whether it nudges. */
  readonly surge: boolean;
}

export interface ScaledObjectRules {
  readonly keda: KedaSpec;
  readonly hpa: Omit<HpaSpec, 'metrics'>;
  readonly pollingIntervalSeconds: number;
}

/** What a ScaledObject sets for KEDA and the HPA, with all defaults. */
export function rulesOf(spec: ScaledSpec): ScaledObjectRules {
  const { minReplicaCount = 0, maxReplicaCount = hpaDefaults.maxReplicaCount, behavior } = spec;
  const fallback = Number(spec.fallback?.['replicas']);
  const keda = {
    ...kedaDefaults,
    minReplicaCount,
    idleReplicaCount: spec.idleReplicaCount,
    cooldownPeriodSeconds: spec.cooldownPeriod ?? kedaDefaults.cooldownPeriodSeconds,
    initialCooldownPeriodSeconds: spec.initialCooldownPeriod ?? 0,
    fallbackReplicas: Number.isInteger(fallback) ? fallback : undefined,
  };
  const hpa = {
    ...hpaDefaults,
    minReplicaCount,
    maxReplicaCount,
    ...(behavior && { behavior: defaultedBehavior(readBehavior(behavior).behavior) }),
  };
  const pollingIntervalSeconds = Math.max(1, spec.pollingInterval ?? 30);
  return { keda, hpa, pollingIntervalSeconds };
}

const hpaClockMs = 15_000;
/** Three times the usual stabilization and cooldown. */
const horizonMs = 3_600_000;
const mostSteps = 40;

const kedaReasons = {
  activated: 'a trigger is active',
  active: 'a trigger is active: the HPA decides',
  error: 'a trigger answers with an error: nothing is changed',
  cooldown: 'no trigger is active: cooldownPeriod has to pass',
  deactivated: 'no trigger was active for cooldownPeriod',
  min: 'minReplicaCount',
  idle: 'no trigger is active, and nothing is to be done',
} as const;

/**
 * Plays KEDA's polls and the HPA's looks for an hour, as if the triggers kept their present answers. It
 * assumes that one has been active until now, and that the HPA wanted the present replicas.
 */
export function playScaledObject(
  rules: ScaledObjectRules,
  demands: readonly TriggerDemand[],
  currentReplicas: number,
): ScalingView {
  const metrics = demands.map(({ metricType, value, target }) => ({ type: metricType, value, target }));
  const spec: HpaSpec = { ...rules.hpa, metrics };
  const isActive = demands.some(({ active }) => active);
  const isError = demands.some(({ value }) => value === undefined);
  const steps: ScalingStep[] = [];
  let replicas = currentReplicas;
  let lastActiveAtMs: number | undefined = 0;
  let memory: HpaMemory = { recommendations: [{ atMs: 0, replicas: currentReplicas }] };
  const note = (step: ScalingStep): void => {
    const last = steps.findLast(({ by }) => by === step.by);
    const isNews = last === undefined || step.replicas !== replicas || last.because !== step.because;
    if (isNews && steps.length < mostSteps) steps.push(step);
    replicas = step.replicas;
  };
  const poll = (atMs: number): void => {
    const state = { replicas, createdAtMs: 0, lastActiveAtMs };
    const step = decide(rules.keda, state, { isActive, isError }, atMs);
    lastActiveAtMs = step.lastActiveAtMs;
    note({ atMs, by: 'KEDA', replicas: step.replicas, because: kedaReasons[step.because], nudged: false });
  };
  const look = (atMs: number, nudged: boolean): void => {
    // KEDA pauses the HPA of an idle workload by its replicas: there is nothing to look at.
    if (replicas === 0) return;
    const step = sync(spec, { ...memory, replicas }, atMs);
    memory = step;
    note({ atMs, by: 'HPA', replicas: step.replicas, because: hpaReasons[step.because], nudged });
  };
  poll(0);
  for (const atMs of nudgeTimes(demands, replicas)) look(atMs, true);
  const pollMs = rules.pollingIntervalSeconds * 1000;
  let nextPollMs = pollMs;
  for (let atMs = hpaClockMs; atMs <= horizonMs; atMs += hpaClockMs) {
    for (; nextPollMs <= atMs; nextPollMs += pollMs) poll(nextPollMs);
    look(atMs, false);
  }
  return {
    kind: 'ScaledObject',
    currentReplicas,
    isActive,
    wanted: wantedBy(demands),
    steps,
    notes: [
      'This is what happens while all triggers keep these answers. It assumes that one was active until now, and that the HPA wanted the present replicas.',
      'Nudges are some 50 ms apart, with KEDA 2.21 and Kubernetes 1.37.',
    ],
  };
}

function wantedBy(demands: readonly TriggerDemand[]): number {
  return demands.reduce(
    (most, { value, target }) =>
      value === undefined ? most : Math.max(most, replicasFor({ value, perReplica: target })),
    0,
  );
}

/** A look for every nudge: a surge counts on an HPA that at most doubles, or takes four (scaling/surge.ts). */
function nudgeTimes(demands: readonly TriggerDemand[], replicas: number): number[] {
  const times: number[] = [];
  const growing = demands.filter(
    ({ surge, active, metricType }) => surge && active && metricType === 'AverageValue',
  );
  let told = replicas;
  while (
    times.length < mostNudgesAMinute &&
    growing.some(
      ({ value, target }) => value !== undefined && asksForMore({ value, perReplica: target }, told),
    )
  ) {
    told = Math.max(2 * told, 4);
    // Nudges follow each other by some tens of milliseconds.
    times.push(50 * (times.length + 1));
  }
  // The last one brings the exact target back, and the HPA looks at that too.
  if (times.length > 0) times.push(50 * (times.length + 1));
  return times;
}

/** What KEDA's next poll creates of Jobs. With several triggers the largest queue counts, KEDA's default. */
export function playScaledJob(
  spec: ScaledJobSpec,
  demands: readonly TriggerDemand[],
  running: number,
): ScalingView {
  const known = demands.filter(({ active, value }) => active && value !== undefined);
  const [largest] = known.toSorted((a, b) => (b.value ?? 0) / b.target - (a.value ?? 0) / a.target);
  const creates = jobsToCreate(spec, {
    isActive: largest !== undefined,
    value: largest?.value ?? 0,
    target: largest?.target ?? 1,
    running,
    pending: 0,
  });
  return {
    kind: 'ScaledJob',
    running,
    strategy: spec.strategy.kind,
    creates,
    notes: ['Jobs are created by polls alone, every pollingInterval: a pushed true creates none.'],
  };
}

/** Plays what a ScaledObject or ScaledJob makes of the answers of its triggers. */
export function scalingOf(
  { kind, spec }: ScaledResource,
  demands: readonly TriggerDemand[],
  current: number,
): ScalingView {
  if (kind === 'ScaledJob') return playScaledJob(jobSpecOf(spec), demands, current);
  return playScaledObject(rulesOf(spec), demands, current);
}

function jobSpecOf({ minReplicaCount, maxReplicaCount, scalingStrategy = {} }: ScaledSpec): ScaledJobSpec {
  return {
    strategy: strategyOf(scalingStrategy),
    minReplicaCount: minReplicaCount ?? scaledJobDefaults.minReplicaCount,
    maxReplicaCount: maxReplicaCount ?? scaledJobDefaults.maxReplicaCount,
  };
}

function strategyOf(given: Readonly<Record<string, unknown>>): ScaledJobStrategy {
  const kind = given['strategy'];
  if (kind === 'accurate' || kind === 'eager') return { kind };
  if (kind !== 'custom') return { kind: 'default' };
  return {
    kind,
    queueLengthDeduction: Number(given['customScalingQueueLengthDeduction'] ?? 0) || 0,
    runningJobPercentage: Number(given['customScalingRunningJobPercentage'] ?? 0) || 0,
  };
}
