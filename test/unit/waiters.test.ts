import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Waiters } from '../../src/waiters.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is left of those who wait. */
function waiting(...waits: Promise<void>[]) {
  const left = new Set(waits);
  for (const one of waits) void one.then(() => left.delete(one));
  return async () => {
    await vi.advanceTimersByTimeAsync(0);
    return waits.map((one) => left.has(one));
  };
}

it('whoever waits goes on at the next wake, at the end of the time, or when the signal aborts', async () => {
  const waiters = new Waiters();
  const [long, short, gone] = [new AbortController(), new AbortController(), new AbortController()];
  const left = waiting(
    waiters.wait(Number.POSITIVE_INFINITY, long.signal),
    waiters.wait(1_000, short.signal),
    waiters.wait(Number.POSITIVE_INFINITY, gone.signal),
  );
  expect(await left()).toEqual([true, true, true]);
  gone.abort();
  expect(await left()).toEqual([true, true, false]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await left()).toEqual([true, false, false]);
  waiters.wake();
  expect(await left()).toEqual([false, false, false]);
  for (const { signal } of [long, short]) expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

it('nobody waits with a signal that has aborted, and a wake is over for those who come after it', async () => {
  const waiters = new Waiters();
  await waiters.wait(Number.POSITIVE_INFINITY, AbortSignal.abort());
  waiters.wake();
  const left = waiting(waiters.wait(3_000_000_000, new AbortController().signal));
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(await left()).toEqual([true]);
});
