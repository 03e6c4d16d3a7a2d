import { describe, expect, it } from 'vitest';
import {
  defaultedBehavior,
  type HpaBecause,
  type HpaMetric,
  type HpaSpec,
  hpaDefaults,
  mostAfterLook,
  sync,
} from '../../../src/scaling/hpa.ts';

const average = (value: number, target = 10): HpaMetric => ({ type: 'AverageValue', value, target });
const total = (value: number, target = 10): HpaMetric => ({ type: 'Value', value, target });

interface Row {
  name: string;
  metric: HpaMetric;
  from: number;
  ready?: number;
  spec?: Partial<HpaSpec>;
  to: number;
  because: HpaBecause;
}

/** Stabilization has its own tests. Here it has no window. */
function step({ metric, from, ready = from, spec }: Omit<Row, 'name' | 'to' | 'because'>) {
  const whole: HpaSpec = { ...hpaDefaults, downscaleStabilizationMs: 0, metrics: [metric], ...spec };
  return sync(whole, { replicas: from, readyReplicas: ready, recommendations: [] }, 0);
}

// biome-ignore format: a table reads best with one row a line
const rows: Row[] = [
  { name: 'AverageValue: the ceiling of value / target', metric: average(35), from: 2, to: 4, because: 'metric' },
  { name: 'AverageValue: a float value', metric: average(22.222), from: 2, to: 3, because: 'metric' },
  { name: 'AverageValue: down', metric: average(11), from: 8, to: 2, because: 'metric' },
  { name: 'AverageValue: exactly on target', metric: average(30), from: 3, to: 3, because: 'tolerance' },
  { name: 'AverageValue: 10 % above is kept', metric: average(220), from: 20, to: 20, because: 'tolerance' },
  { name: 'AverageValue: 10 % below is kept', metric: average(180), from: 20, to: 20, because: 'tolerance' },
  { name: 'AverageValue: a little more than 10 % above', metric: average(221), from: 20, to: 23, because: 'metric' },
  { name: 'the tolerance trap: capped at 24, stays at 22', metric: average(240), from: 22, to: 22, because: 'tolerance' },
  { name: 'the tolerance trap: capped at 64, stays at 63', metric: average(640), from: 63, to: 63, because: 'tolerance' },
  { name: 'no tolerance, no trap', metric: average(640), from: 63, spec: { tolerance: 0 }, to: 64, because: 'metric' },
  { name: 'AverageValue looks at all replicas, ready or not', metric: average(35), from: 2, ready: 0, to: 4, because: 'metric' },
  { name: 'a value under 0.0005 arrives as 0', metric: average(0.0004, 0.001), from: 3, to: 1, because: 'min' },
  { name: 'thousandths count', metric: average(0.004, 0.001), from: 2, to: 4, because: 'metric' },
  { name: 'the value is rounded to thousandths', metric: average(20.0004), from: 4, to: 2, because: 'metric' },
  { name: '0.3 / 0.1 is 3', metric: average(0.1 + 0.2, 0.1), from: 2, to: 3, because: 'metric' },
  { name: 'Value: the ratio times the ready replicas', metric: total(30), from: 2, to: 4, because: 'scaleUpLimit' },
  { name: 'Value: down', metric: total(5), from: 8, to: 4, because: 'metric' },
  { name: 'Value: only ready replicas count', metric: total(20), from: 4, ready: 3, to: 6, because: 'metric' },
  { name: 'Value: on target', metric: total(10.9), from: 7, to: 7, because: 'tolerance' },
  { name: 'a metric of 0 leaves one: to zero is KEDA', metric: average(0), from: 3, to: 1, because: 'min' },
  { name: 'minReplicaCount', metric: average(0), from: 3, spec: { minReplicaCount: 2 }, to: 2, because: 'min' },
  { name: 'below minReplicaCount', metric: average(900), from: 1, spec: { minReplicaCount: 3 }, to: 3, because: 'min' },
  { name: 'at maxReplicaCount it is the metric', metric: average(60), from: 5, spec: { maxReplicaCount: 6 }, to: 6, because: 'metric' },
  { name: 'maxReplicaCount', metric: average(90), from: 5, spec: { maxReplicaCount: 6 }, to: 6, because: 'max' },
  { name: 'above maxReplicaCount', metric: average(90), from: 9, spec: { maxReplicaCount: 6 }, to: 6, because: 'max' },
  { name: 'maxReplicaCount is 100 by default', metric: average(9000), from: 80, to: 100, because: 'max' },
  { name: 'from 1 to at most 4 in one sync', metric: average(50), from: 1, to: 4, because: 'scaleUpLimit' },
  { name: 'and the rest in the next', metric: average(50), from: 4, to: 5, because: 'metric' },
  { name: 'from 10 to at most 20 in one sync', metric: average(9000), from: 10, to: 20, because: 'scaleUpLimit' },
  { name: 'limit and maximum at once: the maximum is named', metric: average(9000), from: 10, spec: { maxReplicaCount: 20 }, to: 20, because: 'max' },
  { name: 'nothing happens at 0', metric: average(9000), from: 0, to: 0, because: 'disabled' },
  { name: 'several metrics: the most', metric: average(0), from: 4, spec: { metrics: [average(0), average(60), average(20)] }, to: 6, because: 'metric' },
  { name: 'several metrics: the tolerated one is the most', metric: average(0), from: 4, spec: { metrics: [average(10), average(42)] }, to: 4, because: 'tolerance' },
];

describe('one sync of the HPA', () => {
  it.each(rows)('$name', ({ to, because, ...row }) => {
    expect(step(row)).toMatchObject({ replicas: to, because });
  });

  it('may double, and always reach 4', () => {
    expect([1, 2, 3, 10].map(mostAfterLook)).toEqual([4, 4, 6, 20]);
  });
});

describe('a run of syncs', () => {
  /** Replicas after each sync, 15 s apart. */
  function run(
    values: readonly number[],
    from: number,
    recommendations: undefined | [] = undefined,
  ): string[] {
    let state: Parameters<typeof sync>[1] = { replicas: from, recommendations };
    return values.map((value, i) => {
      const { because, ...next } = sync({ ...hpaDefaults, metrics: [average(value)] }, state, i * 15_000);
      state = next;
      return `${next.replicas} ${because}`;
    });
  }

  it('reaches 5 as 1, 4, 5', () => {
    expect(run([50, 50, 50], 1)).toEqual(['4 scaleUpLimit', '5 metric', '5 tolerance']);
  });

  it('holds the most of the last five minutes, then lets go', () => {
    const steps = run([50, ...Array.from({ length: 22 }, () => 10)], 5);
    expect(steps[0]).toBe('5 tolerance');
    expect(new Set(steps.slice(1, 21))).toEqual(new Set(['5 stabilized']));
    expect(steps.slice(21)).toEqual(['1 metric', '1 tolerance']);
  });

  it('remembers what it wanted while it is limited, not what it got', () => {
    expect(run([90, 10], 2, [])).toEqual(['4 scaleUpLimit', '8 scaleUpLimit']);
  });

  it('takes the replicas it finds for its first recommendation', () => {
    expect(run([10], 20)).toEqual(['20 stabilized']);
    expect(run([10], 20, [])).toEqual(['1 metric']);
  });

  it('remembers at most a window', () => {
    let recommendations: ReturnType<typeof sync>['recommendations'] | undefined;
    for (let i = 0; i < 1000; i += 1) {
      const state = { replicas: 2, recommendations };
      ({ recommendations } = sync({ ...hpaDefaults, metrics: [average(20)] }, state, i * 15_000));
    }
    expect(recommendations).toHaveLength(21);
  });
});

describe('a behavior from a manifest', () => {
  const usual = defaultedBehavior({});
  const policies = [{ type: 'Pods', value: 1, periodSeconds: 60 } as const];

  it('is filled in as by the API server and the controller', () => {
    expect(usual.scaleUp).toEqual({
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ],
    });
    expect(usual.scaleDown).toEqual({
      stabilizationWindowSeconds: 300,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    });
  });

  it('has the window of the cluster for scaling down', () => {
    expect(defaultedBehavior({}, 60_000).scaleDown.stabilizationWindowSeconds).toBe(60);
    const scaleDown = { stabilizationWindowSeconds: 0 };
    expect(defaultedBehavior({ scaleDown }, 60_000).scaleDown.stabilizationWindowSeconds).toBe(0);
  });

  it('loses all default policies if it has one of its own, and nothing else', () => {
    expect(defaultedBehavior({ scaleUp: { policies } })).toEqual({
      ...usual,
      scaleUp: { ...usual.scaleUp, policies },
    });
  });
});
