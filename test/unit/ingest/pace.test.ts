import { describe, expect, it } from 'vitest';
import { EventPaces, Pace, type PaceOptions } from '../../../src/ingest/pace.ts';

function paceAt(options: Omit<PaceOptions, 'now'>) {
  const clock = { nowMs: 1000 };
  return { clock, pace: new Pace({ ...options, now: () => clock.nowMs }) };
}

describe('a pace of 100 a second', () => {
  it('lets the first pass in its own time, and each after those before it', () => {
    const { pace } = paceAt({ perSecond: 100 });
    expect([pace.take(1), pace.take(1), pace.take(3)]).toEqual([10, 20, 50]);
    expect(pace.waitMs).toBe(50);
  });

  it('owes nothing for a time when nobody came', () => {
    const { clock, pace } = paceAt({ perSecond: 100 });
    pace.take(5);
    clock.nowMs += 60_000;
    expect([pace.waitMs, pace.take(1), pace.take(1)]).toEqual([0, 10, 20]);
  });

  it('lets a burst pass at once, and again only after the time that it takes', () => {
    const { clock, pace } = paceAt({ perSecond: 100, burst: 500 });
    expect([pace.take(500), pace.take(1)]).toEqual([0, 10]);
    clock.nowMs += 2000;
    expect([pace.take(199), pace.take(1)]).toEqual([0, 10]);
  });

  it('lets nobody wait longer than it may, however many wait', () => {
    const { clock, pace } = paceAt({ perSecond: 100, mostWaitMs: 2000 });
    const waits = Array.from({ length: 1000 }, () => pace.take(1));
    expect(Math.max(...waits)).toBe(2000);
    clock.nowMs += 2000;
    expect(pace.take(1)).toBe(10);
  });
});

describe('events', () => {
  const all = { has: () => true };

  it('of a connection with too many are refused, and those of another go on', async () => {
    const paces = new EventPaces();
    paces.use(10, all);
    expect(await paces.passed('loud', 50)).toBe(true);
    // They would wait for longer than a sender does.
    void paces.passed('loud', 100);
    expect(await paces.passed('loud', 1)).toBe(false);
    expect(await paces.passed('other', 50)).toBe(true);
  });

  it('may come as fast as a new setting says, at once', async () => {
    const paces = new EventPaces();
    paces.use(1, all);
    void paces.passed('loud', 100);
    expect(await paces.passed('loud', 1)).toBe(false);
    paces.use(1000, all);
    expect(await paces.passed('loud', 1)).toBe(true);
  });
});
