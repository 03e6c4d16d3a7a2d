import { readBehavior } from '../../src/scaledobjects/behavior.ts';
import type { Mapping } from '../../src/scaledobjects/yaml-values.ts';
import {
  defaultedBehavior,
  type HpaBecause,
  type HpaMemory,
  type HpaMetric,
  type HpaReplicas,
  type HpaStep,
  hpaDefaults,
  type ScalingPolicy,
  sync,
} from '../../src/scaling/hpa.ts';

/** One look of an HPA: what it finds, and what it does, computed by hand. */
export interface Look extends Omit<HpaReplicas, 'replicas'> {
  /** After the first look of the row. By default as early as possible. */
  readonly atSeconds?: number;
  readonly metrics: readonly HpaMetric[];
  /** Replicas that somebody else, such as KEDA, has set since the last look. */
  readonly set?: number;
  readonly to: number;
  readonly because: HpaBecause;
}

/** A workload with a new HPA, and the looks of the HPA. */
export interface Situation {
  readonly name: string;
  readonly from: number;
  readonly minReplicaCount?: number;
  readonly maxReplicaCount?: number;
  /** As in YAML. */
  readonly behavior?: Mapping;
  readonly looks: readonly Look[];
}

/** `--horizontal-pod-autoscaler-downscale-stabilization`, for all rows. Short, so that a window ends within a test. */
export const downscaleStabilizationSeconds = 10;

/** In ms after the first look, as if nothing took any time. */
export function plannedMs({ looks }: Situation): number[] {
  let atMs = 0;
  return looks.map(({ atSeconds }) => {
    atMs = atSeconds === undefined ? atMs + 100 : atSeconds * 1000;
    return atMs;
  });
}

/** The result of the arithmetic for a row with looks at these times, by one clock. */
export function played(row: Situation, timesMs: readonly number[]): HpaStep[] {
  const { from, minReplicaCount = 0, maxReplicaCount = 100, behavior, looks } = row;
  const downscaleStabilizationMs = downscaleStabilizationSeconds * 1000;
  const rules = {
    ...hpaDefaults,
    minReplicaCount,
    maxReplicaCount,
    downscaleStabilizationMs,
    ...(behavior && {
      behavior: defaultedBehavior(readBehavior(behavior).behavior, downscaleStabilizationMs),
    }),
  };
  let memory: HpaMemory = {};
  let replicas = from;
  return looks.map(({ metrics, set = replicas, statusReplicas, readyReplicas }, index) => {
    const pods = {
      ...(statusReplicas !== undefined && { statusReplicas }),
      ...(readyReplicas !== undefined && { readyReplicas }),
    };
    const state = { ...memory, ...pods, replicas: set };
    const step = sync({ ...rules, metrics }, state, timesMs[index] ?? Number.NaN);
    memory = step;
    replicas = step.replicas;
    return step;
  });
}

const average = (value: number | undefined, target = 10): HpaMetric => ({
  type: 'AverageValue',
  value,
  target,
});
const total = (value: number | undefined, target = 10): HpaMetric => ({ type: 'Value', value, target });
const failing = average(undefined);

const pods = (value: number, periodSeconds: number): ScalingPolicy => ({
  type: 'Pods',
  value,
  periodSeconds,
});
const percent = (value: number, periodSeconds: number): ScalingPolicy => ({
  type: 'Percent',
  value,
  periodSeconds,
});
const noWindow = { stabilizationWindowSeconds: 0 };
/** A new HPA holds the replicas that it finds for a window. Rows about other rules have no such window. */
const downAtOnce: Mapping = { scaleDown: noWindow };
const up = (...policies: ScalingPolicy[]): Mapping => ({ ...downAtOnce, scaleUp: { policies } });
const down = (...policies: ScalingPolicy[]): Mapping => ({ scaleDown: { ...noWindow, policies } });

/** A row with a single look. */
const once = (
  name: string,
  from: number,
  metrics: HpaMetric | readonly HpaMetric[],
  to: number,
  because: HpaBecause,
  others: Partial<Omit<Situation, 'looks'> & HpaReplicas> = {},
): Situation => {
  const { statusReplicas, readyReplicas, ...row } = others;
  const seen = {
    ...(statusReplicas !== undefined && { statusReplicas }),
    ...(readyReplicas !== undefined && { readyReplicas }),
  };
  return { name, from, looks: [look(metrics, to, because, seen)], ...row };
};
const look = (
  metrics: HpaMetric | readonly HpaMetric[],
  to: number,
  because: HpaBecause,
  others: Partial<Look> = {},
): Look => ({ metrics: [metrics].flat(), to, because, ...others });
/** The same at a time. */
const at = (
  atSeconds: number,
  metrics: HpaMetric | readonly HpaMetric[],
  to: number,
  because: HpaBecause,
): Look => look(metrics, to, because, { atSeconds });

// biome-ignore format: a table reads best with one row a line
const metricKinds: Situation[] = [
  once('AverageValue: the ceiling of value / target', 2, average(35), 4, 'metric'),
  once('AverageValue: a float value', 2, average(22.222), 3, 'metric'),
  once('AverageValue: down', 8, average(11), 2, 'metric', { behavior: downAtOnce }),
  once('AverageValue: exactly on target', 3, average(30), 3, 'tolerance'),
  once('AverageValue compares with the pods that there are', 4, average(10.5), 1, 'tolerance', { statusReplicas: 1, behavior: downAtOnce }),
  once('AverageValue: there are no pods yet', 4, average(80), 8, 'metric', { statusReplicas: 0 }),
  once('AverageValue: 0, and no pods yet', 4, average(0), 1, 'min', { statusReplicas: 0, behavior: downAtOnce }),
  once('Value: the ratio times the ready replicas', 2, total(15), 3, 'metric'),
  once('Value: down', 8, total(5), 4, 'metric', { behavior: downAtOnce }),
  once('Value: only ready replicas count', 4, total(20), 6, 'metric', { readyReplicas: 3 }),
  once('Value: none is ready', 4, total(20), 1, 'min', { readyReplicas: 0, behavior: downAtOnce }),
  once('Value: where there are no pods it cannot be had', 4, total(20), 4, 'unknown', { statusReplicas: 0 }),
  once('Value: on target no pods are counted', 4, total(10), 4, 'tolerance', { statusReplicas: 0 }),
  once('Value and AverageValue: the most', 4, [total(15), average(50)], 6, 'metric'),
  once('three metrics: the most', 4, [average(0), average(60), average(20)], 6, 'metric'),
  once('the one on target is the most', 4, [average(10), average(42)], 4, 'tolerance', { behavior: downAtOnce }),
  once('all ask for less: the most of them', 8, [average(10), average(30)], 3, 'metric', { behavior: downAtOnce }),
  once('one cannot be had: up', 4, [failing, average(60)], 6, 'metric'),
  once('one cannot be had: not down', 4, [failing, average(10)], 4, 'unknown', { behavior: downAtOnce }),
  once('one cannot be had: the other on target', 4, [average(40), failing], 4, 'tolerance'),
  once('the only one cannot be had', 4, failing, 4, 'unknown', { behavior: downAtOnce }),
  once('none of two can be had', 4, [failing, total(undefined)], 4, 'unknown', { behavior: downAtOnce }),
  { name: 'it is had again', from: 4, behavior: downAtOnce, looks: [look([failing, average(10)], 4, 'unknown'), look([average(20), average(10)], 2, 'metric')] },
  { name: 'what cannot be had is no recommendation', from: 4, looks: [at(0, failing, 4, 'unknown'), at(14, average(10), 1, 'metric')] },
];

// biome-ignore format: see above
const tolerances: Situation[] = [
  once('10 % above is kept', 20, average(220), 20, 'tolerance'),
  once('10 % below is kept', 20, average(180), 20, 'tolerance', { behavior: downAtOnce }),
  once('a thousandth more than 10 % above', 20, average(220.001), 23, 'metric'),
  once('a thousandth more than 10 % below', 20, average(179.999), 18, 'metric', { behavior: downAtOnce }),
  once('capped at 24 it stays at 22', 22, average(240), 22, 'tolerance'),
  { name: 'Value: 10 % above, and more', from: 10, looks: [look(total(11), 10, 'tolerance'), look(total(11.001), 12, 'metric')] },
  once('scaleUp.tolerance 0: a tenth of a replica more', 20, average(201), 21, 'metric', { behavior: { scaleUp: { tolerance: 0 } } }),
  once('scaleUp.tolerance 0: exactly on target', 20, average(200), 20, 'tolerance', { behavior: { scaleUp: { tolerance: 0 } } }),
  { name: 'scaleUp.tolerance 0.5', from: 20, behavior: { scaleUp: { tolerance: 0.5 } }, looks: [look(average(300), 20, 'tolerance'), look(average(300.001), 31, 'metric')] },
  { name: 'scaleUp.tolerance "50m"', from: 20, behavior: { scaleUp: { tolerance: '50m' } }, looks: [look(average(210), 20, 'tolerance'), look(average(211), 22, 'metric')] },
  { name: 'scaleDown.tolerance 0.3', from: 10, behavior: { scaleDown: { ...noWindow, tolerance: 0.3 } }, looks: [look(average(70), 10, 'tolerance'), look(average(69.999), 7, 'metric')] },
  once('scaleUp.tolerance is not for scaling down', 10, average(85), 9, 'metric', { behavior: { ...downAtOnce, scaleUp: { tolerance: 0.5 } } }),
  once('scaleDown.tolerance is not for scaling up', 10, average(115), 12, 'metric', { behavior: { scaleDown: { tolerance: 0.5 } } }),
  once('scaleDown.tolerance 0.7 is 700 times a thousandth', 10, average(300, 100), 10, 'tolerance', { behavior: { scaleDown: { ...noWindow, tolerance: 0.7 } } }),
  once('scaleUp.tolerance 0.235 as well', 1, average(1235, 1000), 1, 'tolerance', { behavior: { scaleUp: { tolerance: 0.235 } } }),
];

// biome-ignore format: see above
const limits: Situation[] = [
  { name: '1, 4, 8, 16, 20 by nudges', from: 1, looks: [look(average(200), 4, 'scaleUpLimit'), look(average(200, 10.001), 8, 'scaleUpLimit'), look(average(200, 10.002), 16, 'scaleUpLimit'), look(average(200, 10), 20, 'metric')] },
  { name: '3, 6, 12', from: 3, looks: [look(average(1000), 6, 'scaleUpLimit'), look(average(1000), 12, 'scaleUpLimit')] },
  once('maxReplicaCount', 5, average(90), 6, 'max', { maxReplicaCount: 6 }),
  once('at maxReplicaCount it is the metric', 5, average(60), 6, 'metric', { maxReplicaCount: 6 }),
  once('limit and maximum at once', 10, average(9000), 20, 'max', { maxReplicaCount: 20 }),
  once('above maxReplicaCount', 9, average(90), 6, 'max', { maxReplicaCount: 6 }),
  once('above maxReplicaCount no metric is asked for', 9, failing, 6, 'max', { maxReplicaCount: 6 }),
  once('minReplicaCount', 3, average(0), 2, 'min', { minReplicaCount: 2, behavior: downAtOnce }),
  once('minReplicaCount 0 is 1 to the HPA', 3, average(0), 1, 'min', { behavior: downAtOnce }),
  { name: 'below minReplicaCount, and on', from: 1, minReplicaCount: 3, looks: [look(average(900), 3, 'min'), look(average(900), 6, 'scaleUpLimit')] },
  once('as many at least as at most', 5, average(900), 5, 'max', { minReplicaCount: 5, maxReplicaCount: 5 }),
  once('one at most', 1, average(900), 1, 'max', { maxReplicaCount: 1 }),
];

// biome-ignore format: see above
const zero: Situation[] = [
  once('nothing happens at 0', 0, average(9000), 0, 'disabled'),
  once('nothing happens at 0, whatever minReplicaCount is', 0, average(9000), 0, 'disabled', { minReplicaCount: 5 }),
  once('at 0 a failing metric is not asked for', 0, failing, 0, 'disabled'),
  { name: 'woken by KEDA: 0, 1, 4, 5', from: 0, looks: [look(average(50), 0, 'disabled'), look(average(50), 4, 'scaleUpLimit', { set: 1 }), look(average(50), 5, 'metric')] },
  { name: 'woken below minReplicaCount', from: 0, minReplicaCount: 5, looks: [look(average(50), 0, 'disabled'), look(average(50), 5, 'min', { set: 1 })] },
  { name: 'put to 0 and woken within a window: as many as before', from: 4, looks: [look(average(40), 4, 'tolerance'), look(average(0), 0, 'disabled', { set: 0 }), look(average(10), 4, 'stabilized', { set: 1 })] },
  { name: 'what somebody else sets from 0 is not held', from: 0, looks: [look(average(200), 0, 'disabled'), look(average(40), 4, 'metric', { set: 20 })] },
  { name: 'the 0 that it found holds scaling up for a window', from: 0, behavior: { scaleUp: { stabilizationWindowSeconds: 10 } }, looks: [at(0, average(50), 0, 'disabled'), look(average(50), 1, 'stabilized', { set: 1 }), at(14, average(50), 5, 'metric')] },
];

// biome-ignore format: see above
const stabilization: Situation[] = [
  { name: 'a new HPA holds what it finds', from: 20, looks: [at(0, average(40), 20, 'stabilized'), at(14, average(40), 4, 'metric')] },
  { name: 'the most of the window', from: 10, looks: [at(0, average(100), 10, 'tolerance'), at(3, average(20), 10, 'stabilized'), at(6, average(50), 10, 'stabilized'), at(14, average(20), 5, 'stabilized'), at(28, average(20), 2, 'metric')] },
  { name: 'what was wanted counts, not what was set', from: 2, looks: [look(average(90), 4, 'scaleUpLimit'), look(average(40), 8, 'scaleUpLimit')] },
  { name: 'scaleDown: the most of its window', from: 10, behavior: { scaleDown: { stabilizationWindowSeconds: 10 } }, looks: [at(0, average(20), 10, 'stabilized'), at(4, average(60), 10, 'stabilized'), at(11, average(20), 6, 'stabilized'), at(25, average(20), 2, 'metric')] },
  { name: 'scaleDown: without a window it has that of the cluster', from: 10, behavior: { scaleUp: { tolerance: 0 } }, looks: [at(0, average(20), 10, 'stabilized'), at(14, average(20), 2, 'metric')] },
  { name: 'scaleDown: a longer window than that of the cluster', from: 10, behavior: { scaleDown: { stabilizationWindowSeconds: 60 } }, looks: [at(0, average(20), 10, 'stabilized'), at(14, average(20), 10, 'stabilized')] },
  { name: 'scaleUp: the least of its window', from: 2, behavior: { scaleUp: { stabilizationWindowSeconds: 10 } }, looks: [at(0, average(60), 2, 'stabilized'), at(5, average(40), 2, 'stabilized'), at(12, average(80), 4, 'stabilized'), at(19, average(80), 6, 'scaleUpLimit'), at(31, average(80), 8, 'metric')] },
  { name: 'both windows: nothing moves until they agree', from: 5, behavior: { scaleUp: { stabilizationWindowSeconds: 10 }, scaleDown: { stabilizationWindowSeconds: 10 } }, looks: [at(0, average(20), 5, 'stabilized'), at(6, average(90), 5, 'stabilized'), at(13, average(70), 7, 'metric')] },
  { name: 'scaleUp: its window does not hold scaling down', from: 10, behavior: { ...downAtOnce, scaleUp: { stabilizationWindowSeconds: 10 } }, looks: [look(average(20), 2, 'metric')] },
  { name: 'scaleUp: noise below holds, noise above does not', from: 4, behavior: { ...downAtOnce, scaleUp: { stabilizationWindowSeconds: 20 } }, looks: [look(average(90), 4, 'stabilized'), look(average(30), 3, 'metric'), look(average(90), 3, 'stabilized')] },
];

// biome-ignore format: see above
const policies: Situation[] = [
  { name: 'the usual: 4 pods or 100 % in 15 s', from: 1, behavior: downAtOnce, looks: [at(0, average(500), 5, 'scaleUpLimit'), at(3, average(500), 5, 'scaleUpLimit'), at(19, average(500), 10, 'scaleUpLimit')] },
  { name: 'up: 2 pods in 10 s', from: 4, behavior: up(pods(2, 10)), looks: [at(0, average(500), 6, 'scaleUpLimit'), at(3, average(500), 6, 'scaleUpLimit'), at(14, average(500), 8, 'scaleUpLimit')] },
  { name: 'up: 50 % in 10 s, rounded up', from: 3, behavior: up(percent(50, 10)), looks: [at(0, average(500), 5, 'scaleUpLimit'), at(3, average(500), 5, 'scaleUpLimit'), at(14, average(500), 8, 'scaleUpLimit')] },
  once('up: 10 % of one is another one', 1, average(500), 2, 'scaleUpLimit', { behavior: up(percent(10, 60)) }),
  once('up: the most of policies', 4, average(500), 8, 'scaleUpLimit', { behavior: up(pods(1, 10), percent(100, 10)) }),
  once('up: Min, the least of policies', 4, average(500), 5, 'scaleUpLimit', { behavior: { scaleUp: { selectPolicy: 'Min', policies: [pods(1, 10), percent(100, 10)] } } }),
  once('up: Min of the usual policies', 2, average(500), 4, 'scaleUpLimit', { behavior: { scaleUp: { selectPolicy: 'Min' } } }),
  { name: 'up: Disabled, and down', from: 4, behavior: { ...downAtOnce, scaleUp: { selectPolicy: 'Disabled' } }, looks: [look(average(500), 4, 'scaleUpLimit'), look(average(10), 1, 'metric')] },
  { name: 'up: two periods', from: 4, behavior: { scaleUp: { selectPolicy: 'Min', policies: [pods(4, 5), pods(6, 60)] } }, looks: [at(0, average(500), 8, 'scaleUpLimit'), at(9, average(500), 10, 'scaleUpLimit'), at(18, average(500), 10, 'scaleUpLimit')] },
  once('up: what a policy allows and more is not asked for', 3, average(200), 20, 'metric', { behavior: up(percent(900, 15)) }),
  once('up: maxReplicaCount below the policy', 4, average(500), 6, 'max', { behavior: up(pods(100, 15)), maxReplicaCount: 6 }),
  once('up: 2147483647 pods overflow', 4, average(500), 4, 'scaleUpLimit', { behavior: up(pods(2147483647, 15)) }),
  once('up: 2147483647 % do not', 4, average(500), 50, 'metric', { behavior: up(percent(2147483647, 15)) }),
  once('up: of an overflow and another policy the most', 4, average(500), 14, 'scaleUpLimit', { behavior: up(pods(2147483647, 15), pods(10, 15)) }),
  { name: 'down: a pod in 10 s', from: 8, behavior: down(pods(1, 10)), looks: [at(0, average(10), 7, 'scaleDownLimit'), at(3, average(10), 7, 'scaleDownLimit'), at(14, average(10), 6, 'scaleDownLimit')] },
  { name: 'down: 50 % in 10 s, rounded down', from: 9, behavior: down(percent(50, 10)), looks: [at(0, average(10), 4, 'scaleDownLimit'), at(3, average(10), 4, 'scaleDownLimit'), at(14, average(10), 2, 'scaleDownLimit')] },
  once('down: 10 % of five is one', 5, average(10), 4, 'scaleDownLimit', { behavior: down(percent(10, 60)) }),
  once('down: the most of policies', 8, average(10), 4, 'scaleDownLimit', { behavior: down(pods(1, 10), percent(50, 10)) }),
  once('down: Min, the least of policies', 8, average(10), 7, 'scaleDownLimit', { behavior: { scaleDown: { ...noWindow, selectPolicy: 'Min', policies: [pods(1, 10), percent(50, 10)] } } }),
  { name: 'down: Disabled, and up', from: 8, behavior: { scaleDown: { ...noWindow, selectPolicy: 'Disabled' } }, looks: [look(average(10), 8, 'scaleDownLimit'), look(average(100), 10, 'metric')] },
  once('down: minReplicaCount above the policy', 8, average(0), 3, 'min', { behavior: down(pods(100, 10)), minReplicaCount: 3 }),
  { name: 'down: the policy bounds what a window lets go', from: 8, behavior: { scaleDown: { stabilizationWindowSeconds: 8, policies: [pods(2, 60)] } }, looks: [at(0, average(10), 8, 'stabilized'), at(12, average(10), 6, 'scaleDownLimit')] },
  { name: 'what was added may go as well', from: 4, behavior: { scaleUp: { policies: [pods(100, 10)] }, scaleDown: { ...noWindow, policies: [pods(1, 60)] } }, looks: [look(average(80), 8, 'metric'), look(average(10), 3, 'scaleDownLimit')] },
  { name: 'what went may come back as well', from: 8, behavior: { scaleUp: { policies: [pods(1, 60)] }, scaleDown: { ...noWindow, policies: [pods(100, 60)] } }, looks: [look(average(20), 2, 'metric'), look(average(200), 9, 'scaleUpLimit')] },
  { name: 'an addition counts in the longer period of scaling down', from: 4, behavior: { scaleUp: { policies: [pods(100, 3)] }, scaleDown: { ...noWindow, policies: [pods(1, 120)] } }, looks: [at(0, average(80), 8, 'metric'), at(7, average(80), 8, 'tolerance'), at(8, average(10), 3, 'scaleDownLimit')] },
  { name: 'but not when another one has taken its place', from: 4, behavior: { scaleUp: { policies: [pods(100, 3)] }, scaleDown: { ...noWindow, policies: [pods(1, 120)] } }, looks: [at(0, average(80), 8, 'metric'), at(8, average(100), 10, 'metric'), look(average(10), 7, 'scaleDownLimit')] },
  { name: 'what minReplicaCount adds counts too', from: 1, minReplicaCount: 5, behavior: up(pods(2, 60)), looks: [look(average(500), 5, 'min'), look(average(500), 5, 'scaleUpLimit')] },
  { name: 'what somebody else takes away does not', from: 4, behavior: up(pods(2, 60)), looks: [look(average(500), 6, 'scaleUpLimit'), look(average(500), 3, 'scaleUpLimit', { set: 3 })] },
];

// biome-ignore format: see above
const numbers: Situation[] = [
  { name: 'a nudged target asks for no replica more', from: 2, looks: [look(average(30), 3, 'metric'), look(average(30, 10.001), 3, 'tolerance')] },
  once('a thousandth above a nudged target', 2, average(30.004, 10.001), 4, 'metric'),
  { name: 'a target that is halved', from: 4, looks: [look(average(40), 4, 'tolerance'), look(average(40, 5), 8, 'metric')] },
  once('thousandths count', 2, average(0.004, 0.001), 4, 'metric'),
  once('a value is rounded to thousandths', 4, average(20.0004), 2, 'metric', { behavior: downAtOnce }),
  once('less than half a thousandth is 0', 3, average(0.0004, 0.001), 1, 'min', { behavior: downAtOnce }),
  once('0.3 / 0.1 is 3', 2, average(0.1 + 0.2, 0.1), 3, 'metric'),
  once('a huge target', 2, average(4e12, 1e12), 4, 'metric'),
  once('a huge value', 10, average(9e15, 1), 20, 'scaleUpLimit', { maxReplicaCount: 1000 }),
  once('Value: a huge value', 3, total(9e15, 1), 6, 'scaleUpLimit', { maxReplicaCount: 1000 }),
];

/**
 * The behavior of Kubernetes' HPA, which scaling/hpa.ts must compute. Its unit test plays all rows against the
 * arithmetic, test/cluster/hpa.test.ts against the real controller.
 */
export const situations: readonly Situation[] = [
  ...metricKinds,
  ...tolerances,
  ...limits,
  ...zero,
  ...stabilization,
  ...policies,
  ...numbers,
];
