import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { risePerHour } from '../../../chaos/trend.ts';

const every10s = (values: readonly number[]) =>
  values.map((value, index) => ({ atSeconds: index * 10, value }));

describe('risePerHour', () => {
  it('finds a leak, whatever the first half did', () => {
    const filling = Array.from({ length: 60 }, (_, index) => 40 + index);
    const leaking = Array.from({ length: 60 }, (_, index) => 100 + index / 6);
    expect(risePerHour(every10s([...filling, ...leaking]))).toBeCloseTo(60);
  });

  it('sees none if something only fills up', () => {
    const filling = Array.from({ length: 60 }, (_, index) => 40 + index);
    expect(risePerHour(every10s([...filling, ...new Array<number>(60).fill(100)]))).toBe(0);
  });

  it('does not mind a few samples far off', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 60, max: 119 }), { maxLength: 8 }), (far) => {
        const values = new Array<number>(120).fill(40);
        for (const index of far) values[index] = 400;
        expect(risePerHour(every10s(values))).toBe(0);
      }),
    );
  });

  it('refuses too few samples', () => {
    expect(() => risePerHour([])).toThrow('no trend of nothing');
    expect(() => risePerHour(every10s([1, 2]))).toThrow('fewer than three');
  });
});
