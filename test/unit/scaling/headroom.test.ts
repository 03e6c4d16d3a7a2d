import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withHeadroom } from '../../../src/scaling/headroom.ts';

const known = (items: number, active: boolean) =>
  ({ kind: 'known', items, active, detail: () => ({ lag: items }) }) as const;

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
    const [items, active, replicas, whenIdle, perReplica, itemsThen, activeThen] = row;
    const reading = withHeadroom(known(items, active), { replicas, whenIdle }, perReplica);
    expect(reading).toMatchObject({ items: itemsThen, active: activeThen });
  });

  it('is just so many replicas more, whatever the backlog and the target', () => {
    const whole = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 500 }), fc.nat(1_000), (items, perReplica, replicas) => {
        const { items: then } = withHeadroom(known(items, true), { replicas, whenIdle: false }, perReplica);
        // What the HPA makes of it (AverageValue).
        expect(Math.ceil(then / perReplica)).toBe(Math.ceil(items / perReplica) + replicas);
      }),
    );
  });

  it.each([Number.NaN, -1])('makes no number of %d', (items) => {
    const reading = known(items, true);
    expect(withHeadroom(reading, { replicas: 2, whenIdle: true }, 10)).toBe(reading);
  });

  it('is seen in the working behind the number', () => {
    const { detail } = withHeadroom(known(3, true), { replicas: 2, whenIdle: false }, 10);
    expect(detail()).toEqual({ lag: 3, headroomReplicas: 2 });
  });
});
