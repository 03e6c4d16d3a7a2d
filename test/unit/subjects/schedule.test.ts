import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextOnBeat, spreadMs } from '../../../src/subjects/schedule.ts';

describe('nextOnBeat', () => {
  it.each([
    { now: 5_000, interval: 1_000, beat: 1_000, due: 6_000 },
    { now: 5_300, interval: 1_000, beat: 1_000, due: 6_000 },
    { now: 5_800, interval: 1_000, beat: 1_000, due: 7_000 },
    { now: 5_300, interval: 30_000, beat: 1_000, due: 35_000 },
    { now: 5_300, interval: 100, beat: 1_000, due: 6_000 },
    { now: 5_300, interval: 700, beat: 0, due: 6_000 },
  ])('$interval ms after $now on a beat of $beat is $due', ({ now, interval, beat, due }) => {
    expect(nextOnBeat(now, interval, beat)).toBe(due);
  });

  it('is always later, on the beat, and within a beat and a quarter of the wanted time', () => {
    const ms = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 10, max: 5_000 }), (now, interval, beat) => {
        const due = nextOnBeat(now, interval, beat);
        expect(due).toBeGreaterThan(now);
        expect(due % beat).toBe(0);
        expect(Math.abs(due - now - interval)).toBeLessThanOrEqual(1.25 * beat);
      }),
    );
  });
});

describe('spreadMs', () => {
  it('is a part of the interval, but never less than the least time', () => {
    expect([0, 0.5, 1].map((part) => spreadMs(5_000, 1_000, part))).toEqual([1_000, 3_000, 5_000]);
    expect(spreadMs(1_000, 1_000, 0)).toBe(1_000);
    expect(spreadMs(700, 1_000, 0)).toBe(700);
  });
});
