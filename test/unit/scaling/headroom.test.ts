import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withHeadroom } from '../../../src/scaling/metric.ts';

describe('headroom', () => {
  it.each([
    // items, active, replicas, also when idle, per replica: items then, active then
    [30, true, 0, false, 10, 30, true],
    [30, true, 2, false, 10, 50, true],
    [1, true, 2, false, 10, 21, true],
    [0, true, 2, false, 10, 20, true],
    [0, false, 2, false, 10, 0, false],
    [3, false, 2, false, 10, 3, false],
    [0, false, 2, true, 10, 20, true],
    [3, false, 2, true, 10, 23, true],
    [30, true, 2, true, 0.5, 31, true],
  ])('on %d items (active: %s), %d replicas (idle too: %s) of %d each, is %d (%s)', (...row) => {
    const [value, active, replicas, whenIdle, perReplica, valueThen, activeThen] = row;
    const metric = withHeadroom({ value, active }, { replicas, whenIdle }, perReplica);
    expect(metric).toEqual({ value: valueThen, active: activeThen });
  });

  it('is just so many replicas more, whatever the backlog and the target', () => {
    const whole = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 500 }), fc.nat(1_000), (items, perReplica, replicas) => {
        const metric = { value: items, active: true };
        const { value: then } = withHeadroom(metric, { replicas, whenIdle: false }, perReplica);
        // The HPA's result (AverageValue).
        expect(Math.ceil(then / perReplica)).toBe(Math.ceil(items / perReplica) + replicas);
      }),
    );
  });
});
