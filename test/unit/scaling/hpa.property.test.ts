import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultedBehavior,
  type HpaBehavior,
  type HpaMemory,
  type HpaMetric,
  type HpaStep,
  hpaDefaults,
  type ScalingPolicy,
  type ScalingRules,
  sync,
} from '../../../src/scaling/hpa.ts';

const anyPolicy: fc.Arbitrary<ScalingPolicy> = fc.record({
  type: fc.constantFrom('Pods', 'Percent'),
  value: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  periodSeconds: fc.integer({ min: 1, max: 120 }),
});

const anyRules: fc.Arbitrary<ScalingRules> = fc.record(
  {
    stabilizationWindowSeconds: fc.constantFrom(0, 15, 60, 300),
    selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled'),
    policies: fc.array(anyPolicy, { minLength: 1, maxLength: 3 }),
    tolerance: fc.constantFrom(0, 0.05, 0.1, 0.7),
  },
  { requiredKeys: ['stabilizationWindowSeconds', 'selectPolicy', 'policies'] },
);

const anyBehavior: fc.Arbitrary<HpaBehavior> = fc.record({ scaleUp: anyRules, scaleDown: anyRules });

const anyMetric: fc.Arbitrary<HpaMetric> = fc.record({
  type: fc.constantFrom('AverageValue', 'Value'),
  value: fc.oneof(fc.nat(2000), fc.double({ min: 0, max: 1e17, noNaN: true }), fc.constant(undefined)),
  target: fc.constantFrom(0.001, 1, 10, 10.001),
});

/** A look this long after the one before. */
const anyLook = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(15_000, 40_000, 400_000)),
  metrics: fc.array(anyMetric, { minLength: 1, maxLength: 3 }),
});

const anyRun = fc.record(
  {
    behavior: anyBehavior,
    replicas: fc.nat(150),
    minReplicaCount: fc.nat(20),
    maxReplicaCount: fc.integer({ min: 20, max: 120 }),
    looks: fc.array(anyLook, { minLength: 1, maxLength: 30 }),
  },
  { requiredKeys: ['replicas', 'minReplicaCount', 'maxReplicaCount', 'looks'] },
);
type Run = typeof anyRun extends fc.Arbitrary<infer T> ? T : never;

interface Looked {
  readonly atMs: number;
  readonly before: number;
  readonly step: HpaStep;
}

/** From `replicas` on, changed only by the HPA. */
function play({ replicas, looks, behavior, ...limits }: Run): Looked[] {
  let memory: HpaMemory = {};
  let [atMs, before] = [0, replicas];
  return looks.map(({ afterMs, metrics }) => {
    atMs += afterMs;
    const spec = { ...hpaDefaults, ...limits, metrics, ...(behavior && { behavior }) };
    const step = sync(spec, { ...memory, replicas: before }, atMs);
    const looked = { atMs, before, step };
    memory = step;
    before = step.replicas;
    return looked;
  });
}

/** The number that a period's start may reach within the period by this policy, upwards or downwards. */
function reach(policy: ScalingPolicy, start: number, sign: 1 | -1): number {
  const by = policy.type === 'Pods' ? policy.value : (start * policy.value) / 100;
  return start + sign * by;
}

describe('whatever the metrics, the limits and the behavior are', () => {
  it('replicas are a whole number between minimum and maximum, and 0 stays 0', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        for (const { before, step } of play(run)) {
          expect(Number.isInteger(step.replicas)).toBe(true);
          expect(Object.is(step.replicas, -0)).toBe(false);
          if (before === 0) expect(step).toMatchObject({ replicas: 0, because: 'disabled' });
          else {
            expect(step.replicas).toBeGreaterThanOrEqual(Math.max(1, run.minReplicaCount));
            expect(step.replicas).toBeLessThanOrEqual(run.maxReplicaCount);
          }
        }
      }),
    );
  });

  it('nothing moves within the limits if no metric is available', () => {
    const failing = anyLook.map(({ afterMs, metrics }) => ({
      afterMs,
      metrics: metrics.map((metric) => ({ ...metric, value: undefined })),
    }));
    fc.assert(
      fc.property(anyRun, fc.array(failing, { minLength: 1, maxLength: 5 }), (run, looks) => {
        const from = Math.min(Math.max(1, run.minReplicaCount, run.replicas), run.maxReplicaCount);
        for (const { step } of play({ ...run, replicas: from, looks })) {
          expect(step).toMatchObject({ replicas: from, because: 'unknown' });
        }
      }),
    );
  });

  it('memory is bounded: the windows, and as many changes as fit into a period', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const looks = Array.from({ length: 20 }, () => run.looks).flat();
        for (const { step } of play({ ...run, looks })) {
          expect(step.recommendations.length).toBeLessThanOrEqual(looksWithin(looks, 300_000));
          for (const events of [step.scaleUps ?? [], step.scaleDowns ?? []]) {
            expect(events.length).toBeLessThanOrEqual(looksWithin(looks, 120_000));
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

/** The most looks within any such time, plus one. */
function looksWithin(looks: Run['looks'], periodMs: number): number {
  const times: number[] = [];
  for (const { afterMs } of looks) times.push((times.at(-1) ?? 0) + afterMs);
  let [most, first] = [0, 0];
  for (const [index, time] of times.entries()) {
    while ((times[first] ?? time) < time - periodMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most + 1;
}

describe('a behavior', () => {
  /** A workload within its limits, so that only metrics move it. */
  const anyFree = anyRun.map((run) => ({
    ...run,
    replicas: Math.min(Math.max(1, run.minReplicaCount, run.replicas), run.maxReplicaCount),
  }));

  it.each([
    ['scaleUp', 1],
    ['scaleDown', -1],
  ] as const)('%s: Disabled never moves', (direction, sign) => {
    fc.assert(
      fc.property(anyFree, anyBehavior, (run, given) => {
        const disabled = { ...given[direction], selectPolicy: 'Disabled' as const };
        for (const { before, step } of play({ ...run, behavior: { ...given, [direction]: disabled } })) {
          expect(sign * (step.replicas - before)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });

  it('adds in no period more than its policy allows', () => {
    const anyUp = anyRules.map((rules) => ({ ...rules, policies: rules.policies.slice(0, 1) }));
    fc.assert(
      fc.property(anyFree, anyUp, (run, scaleUp) => {
        // Nothing is removed, so nothing can be added again.
        const scaleDown: ScalingRules = { ...scaleUp, selectPolicy: 'Disabled' };
        const looked = play({ ...run, behavior: { scaleUp, scaleDown } });
        const [policy] = scaleUp.policies;
        if (policy === undefined) return;
        for (const [index, { atMs, step }] of looked.entries()) {
          const sinceMs = atMs - policy.periodSeconds * 1000;
          const start = looked.slice(0, index + 1).find((one) => one.atMs > sinceMs)?.before ?? 0;
          expect(step.replicas).toBeLessThanOrEqual(Math.ceil(reach(policy, start, 1)));
        }
      }),
    );
  });

  it('removes in no period more than its policy allows', () => {
    const anyDown = anyRules.map((rules) => ({ ...rules, policies: rules.policies.slice(0, 1) }));
    fc.assert(
      fc.property(anyFree, anyDown, (run, scaleDown) => {
        const scaleUp: ScalingRules = { ...scaleDown, selectPolicy: 'Disabled' };
        const looked = play({ ...run, behavior: { scaleUp, scaleDown } });
        const [policy] = scaleDown.policies;
        if (policy === undefined) return;
        for (const [index, { atMs, step }] of looked.entries()) {
          const sinceMs = atMs - policy.periodSeconds * 1000;
          const start = looked.slice(0, index + 1).find((one) => one.atMs > sinceMs)?.before ?? 0;
          expect(step.replicas).toBeGreaterThanOrEqual(Math.floor(reach(policy, start, -1)));
        }
      }),
    );
  });

  it('with Max of several policies is never slower than with Min of the same', () => {
    fc.assert(
      fc.property(anyFree, anyRules, anyRules, (run, scaleUp, scaleDown) => {
        const [first] = run.looks;
        if (first === undefined) return;
        const under = (selectPolicy: 'Max' | 'Min'): number => {
          const behavior = {
            scaleUp: { ...scaleUp, selectPolicy },
            scaleDown: { ...scaleDown, selectPolicy },
          };
          const [looked] = play({ ...run, looks: [first], behavior });
          return (looked?.step.replicas ?? run.replicas) - run.replicas;
        };
        expect(Math.abs(under('Max'))).toBeGreaterThanOrEqual(Math.abs(under('Min')));
      }),
    );
  });

  const isLast = (index: number, { length }: readonly unknown[]) => index === length - 1;

  it('never goes below the most of its window, nor above the least', () => {
    fc.assert(
      fc.property(anyFree, anyBehavior, (run, behavior) => {
        const looked = play({ ...run, behavior });
        for (const { atMs, before, step } of looked) {
          const within = (rules: ScalingRules) =>
            step.recommendations
              .filter(
                (one, i, all) => isLast(i, all) || one.atMs > atMs - 1000 * rules.stabilizationWindowSeconds,
              )
              .map((one) => Math.min(Math.max(one.replicas, run.minReplicaCount, 1), run.maxReplicaCount));
          if (step.replicas < before) {
            expect(step.replicas).toBeGreaterThanOrEqual(Math.max(...within(behavior.scaleDown)));
          }
          if (step.replicas > before) {
            expect(step.replicas).toBeLessThanOrEqual(Math.min(...within(behavior.scaleUp)));
          }
        }
      }),
    );
  });

  it('with only defaults is no faster than none, from four replicas on', () => {
    fc.assert(
      fc.property(anyFree, (run) => {
        const { behavior: _, ...usual } = run;
        const [first] = usual.looks;
        if (first === undefined || usual.replicas < 4) return;
        const [without] = play({ ...usual, looks: [first] });
        const [having] = play({ ...usual, looks: [first], behavior: defaultedBehavior({}) });
        expect(having?.step.replicas).toBe(without?.step.replicas);
      }),
    );
  });
});
