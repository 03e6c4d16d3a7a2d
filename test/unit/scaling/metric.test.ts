import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { toMetric, wire, wireTarget } from '../../../src/scaling/metric.ts';

const anyValue = fc.double({ min: 0, max: 1e15, noNaN: true });

describe('a metric on the wire', () => {
  it.each([
    [0, 0, '0'],
    [-0, 0, '0'],
    [0.0004, 0.0004, '1'],
    [0.4, 0.4, '1'],
    [1, 1, '1'],
    [22.222, 22.222, '23'],
    [1e12, 1e12, '1000000000000'],
    [2 ** 53, 2 ** 53, '9007199254740992'],
    [2 ** 62, 2 ** 62, '4611686018427387904'],
    [2 ** 63, 2 ** 63, '9223372036854775807'],
    [1e300, 1e300, '9223372036854775807'],
  ])('%d', (value, float, int) => {
    const sent = wire(value);
    expect(sent).toEqual({ float: expect.closeTo(float, 12), int });
    expect(sent.float === 0).toBe(sent.int === '0');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -1e-9])(
    '%d is refused: KEDA would read 0 and scale down',
    (value) => {
      expect(() => wire(value)).toThrow(ScalerError);
      expect(() => wireTarget({ perReplica: value })).toThrow(ScalerError);
      expect(() => toMetric({ kind: 'known', items: value, active: true, detail: () => ({}) }, 10)).toThrow(
        ScalerError,
      );
    },
  );

  it('the int is the ceiling of the float, for every value', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const { float, int } = wire(value);
        expect(float).toBe(value);
        expect(int).toMatch(/^\d+$/);
        expect(Number(int)).toBe(Math.ceil(value));
      }),
    );
  });
});

describe('a target on the wire', () => {
  it.each([
    [10, 10, '10'],
    [2.5, 2.5, '3'],
    [0.4, 0.4, '1'],
    [0.0001, 0.001, '1'],
    [0, 0.001, '1'],
  ])('%d per replica', (perReplica, float, int) => {
    expect(wireTarget({ perReplica })).toEqual({ float, int });
  });

  it("survives KEDA's three decimals", () => {
    fc.assert(
      fc.property(anyValue, (perReplica) => {
        const { float, int } = wireTarget({ perReplica });
        expect(Number(float.toFixed(3))).toBeGreaterThan(0);
        expect(Number(int)).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

describe('a reading as a metric', () => {
  it('is its items and its activity', () => {
    const reading = { kind: 'known', items: 7.5, active: false, detail: () => ({}) } as const;
    expect(toMetric(reading, 10)).toEqual({ value: 7.5, active: false });
  });

  it.each([
    // items, per replica, most, even: value
    [7.5, 10, 3, false, 7.5],
    [50, 10, 3, false, 30],
    [50, 10, 0, false, 0],
    [50, 10, 12, true, 60],
    [61, 10, 12, true, 120],
    [500, 10, 12, true, 120],
    [0, 10, 12, true, 0],
    [1, 10, 7, true, 10],
    [11, 10, 7, true, 70],
    [2.4, 2.5, 4, true, 2.5],
  ])('of %d items, %d a replica, at most %d of them (even: %s), is %d', (...row) => {
    const [items, perReplica, most, even, value] = row;
    const reading = {
      kind: 'known',
      items,
      active: true,
      useful: { most, even },
      detail: () => ({}),
    } as const;
    expect(toMetric(reading, perReplica).value).toBe(value);
  });
});
