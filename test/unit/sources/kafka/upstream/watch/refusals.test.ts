import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusals } from '../../../../../../src/sources/kafka/upstream/watch/faults.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('refusals', () => {
  it('end by themselves, and are news again only after they were cleared', () => {
    const refusals = new Refusals();
    expect([refusals.refuse('t', 1000), refusals.isRefused('t')]).toEqual([true, true]);
    vi.advanceTimersByTime(1000);
    expect([refusals.isRefused('t'), refusals.refuse('t', 1000)]).toEqual([false, false]);
    expect([refusals.clear('t'), refusals.clear('t'), refusals.isRefused('t')]).toEqual([true, false, false]);
    expect(refusals.refuse('t', 1000)).toBe(true);
  });

  it('are bounded: the oldest makes room', () => {
    const refusals = new Refusals();
    for (let key = 0; key <= 10_000; key += 1) refusals.refuse(String(key), 1000);
    expect([refusals.isRefused('0'), refusals.isRefused('1'), refusals.isRefused('10000')]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
