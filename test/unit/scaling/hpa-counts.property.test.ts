import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hpaDefaults, sync } from '../../../src/scaling/hpa.ts';
import { printedTarget, replicasFor, toMetric, withHeadroom } from '../../../src/scaling/metric.ts';

/** The HPA's result for a value and a target that went through KEDA's "%.3f", before limits. */
function asked(value: number, perReplica: number): number {
  const spec = {
    ...hpaDefaults,
    maxReplicaCount: Number.MAX_SAFE_INTEGER,
    tolerance: 0,
    metrics: [{ type: 'AverageValue', value, target: perReplica } as const],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 1e17, periodSeconds: 15 }],
      },
      scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [] },
    } as const,
  };
  return sync(spec, { replicas: 1 }, 0).replicas;
}

const targets = fc.oneof(
  fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
  fc.double({ min: 1e-6, max: 9e15, noNaN: true }),
  fc.constantFrom(0.1, 0.7, 1.1, 33.3333, 3.3333, 0.0004, 0.0015, 1, 10),
);
const items = fc.oneof(fc.nat(1_000), fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));

describe('what the HPA counts', () => {
  it.each([
    // For the HPA a target with more than three digits is a little less, which would give a fourth replica for three
    // partitions.
    [1_000, 33.3333, 3, false, 3],
    [1_000, 3.3333, 4, true, 4],
    // A target below a thousandth is a thousandth for the HPA.
    [1_000, 0.0004, 10, false, 10],
    // 21 / 0.7 is a little more than 30 as floats.
    [21, 0.7, 60, true, 30],
    // As floats, 4637 times this target is a thousandth more than it is.
    [767_270_430_000_000, 767_270_429.6715001, 4637, false, 4637],
    [767_270_430_000_000, 767_270_429.6715001, 4637, true, 4637],
  ])('%d items of %d each, for at most %d replicas (even: %s), are %d replicas', (...row) => {
    const [count, given, most, even, replicas] = row;
    const perReplica = printedTarget(given);
    const known = { kind: 'known', items: count, active: true, useful: { most, even } } as const;
    const { value } = toMetric({ ...known, detail: () => ({}) }, perReplica);
    expect(asked(value, perReplica)).toBe(replicas);
    expect(replicasFor({ value, perReplica })).toBe(replicas);
  });

  it('is never more than can have work, and what we say it is', () => {
    fc.assert(
      fc.property(items, targets, fc.integer({ min: 1, max: 10_000 }), fc.boolean(), (...row) => {
        const [count, given, most, even] = row;
        const perReplica = printedTarget(given);
        const known = { kind: 'known', items: count, active: true, useful: { most, even } } as const;
        const metric = toMetric({ ...known, detail: () => ({}) }, perReplica);
        const { value } = withHeadroom(metric, { replicas: 0, whenIdle: false }, perReplica);
        expect(replicasFor({ value, perReplica })).toBeLessThanOrEqual(most);
        expect(asked(value, perReplica)).toBe(Math.max(1, replicasFor({ value, perReplica })));
      }),
    );
  });

  it('never overflows: neither the int64 of its thousandths nor, before Kubernetes 1.34, the int32 of its replicas', () => {
    const headrooms = fc.record({
      replicas: fc.double({ min: 0, max: 1_000, noNaN: true }),
      whenIdle: fc.boolean(),
    });
    const values = fc.oneof(items, fc.double({ min: 0, max: 1e300, noNaN: true }));
    fc.assert(
      fc.property(values, targets, headrooms, (value, given, headroom) => {
        const perReplica = printedTarget(given);
        const told = withHeadroom({ value, active: true }, headroom, perReplica).value;
        expect(BigInt(Math.round(told)) * 1000n).toBeLessThan(2n ** 63n);
        expect(replicasFor({ value: told, perReplica })).toBeLessThan(2 ** 31);
        // Smaller values are sent unchanged.
        if (value < 9e15 && value / perReplica < 2e9 - 2_000) expect(told).toBeGreaterThanOrEqual(value);
      }),
    );
  });
});
