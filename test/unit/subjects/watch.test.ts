import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';
import { WatchedLog, watchedSource } from '../../support/watched-source.ts';

let log: WatchedLog;
let live: LiveTriggers;
let told: boolean[];
let end: () => void;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  log = new WatchedLog();
  live = new LiveTriggers([connectionOf('logs', watchedSource, log)]);
  told = [];
  end = live.follow(referenceOf({ source: 'watched', name: 'a' }), ({ active }) => told.push(active));
  await vi.advanceTimersByTimeAsync(0);
});

afterEach(async () => {
  await live.close();
  expect(log.armed.every(({ closed }) => closed)).toBe(true);
  vi.useRealTimers();
});

const last = () => {
  const entry = log.armed.at(-1);
  if (!entry) throw new Error('nothing is armed');
  return entry;
};

describe('a watch', () => {
  it('starts where the snapshot ends, and reads continue until it is armed', async () => {
    expect(log.armed.map(({ from }) => from)).toEqual([0]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(log.reads).toBeGreaterThanOrEqual(5);
    last().watch.state = 'armed';
    await vi.advanceTimersByTimeAsync(2_000);
    const reads = log.reads;
    await vi.advanceTimersByTimeAsync(25_000);
    expect(log.reads).toBe(reads);
    expect(log.armed).toHaveLength(1);
  });

  it('wakes at once, is closed, and is armed again from the new end', async () => {
    last().watch.state = 'armed';
    await vi.advanceTimersByTimeAsync(3_000);
    const { reads } = log;
    log.end = 7;
    last().wake('record');
    await vi.advanceTimersByTimeAsync(0);
    expect(log.reads).toBe(reads + 1);
    expect(told).toEqual([false, true]);
    expect(log.armed.map(({ from, closed }) => [from, closed])).toEqual([
      [0, true],
      [7, false],
    ]);
  });

  it('that was closed cannot wake', async () => {
    const first = last();
    first.wake('record');
    await vi.advanceTimersByTimeAsync(0);
    const { reads } = log;
    first.wake('record');
    await vi.advanceTimersByTimeAsync(0);
    expect(log.reads).toBe(reads);
  });

  it('wakes at once even just after a reconcile', async () => {
    last().watch.state = 'armed';
    await vi.advanceTimersByTimeAsync(5_000);
    const { reads } = log;
    while (log.reads === reads) await vi.advanceTimersByTimeAsync(100);
    const after = log.reads;
    last().wake('record');
    await vi.advanceTimersByTimeAsync(0);
    expect(log.reads).toBe(after + 1);
  });

  it('is given up when the subject is no longer quiet', async () => {
    log.quiet = false;
    await vi.advanceTimersByTimeAsync(1_500);
    expect(last().closed).toBe(true);
    expect(log.armed).toHaveLength(1);
  });

  it('that is refused leaves the reads at every second, and is tried again less and less often', async () => {
    const asked = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(ms);
      last().watch.state = 'refused';
      return log.armed.length;
    };
    last().watch.state = 'refused';
    expect(await asked(3_000)).toBe(1);
    expect(await asked(4_000)).toBe(2);
    expect(await asked(6_000)).toBe(2);
    expect(await asked(4_000)).toBe(3);
    expect(await asked(600_000)).toBeLessThanOrEqual(15);
    expect(log.reads).toBeGreaterThanOrEqual(610);
  });

  it('that was armed is requested again soon after it is lost', async () => {
    last().watch.state = 'refused';
    await vi.advanceTimersByTimeAsync(6_000);
    last().watch.state = 'armed';
    await vi.advanceTimersByTimeAsync(31_000);
    last().watch.state = 'refused';
    last().wake('watch lost');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(log.armed).toHaveLength(3);
    last().watch.state = 'refused';
    await vi.advanceTimersByTimeAsync(7_000);
    expect(log.armed).toHaveLength(4);
  });

  it('confirms the reading while it lives', async () => {
    last().watch.state = 'armed';
    await vi.advanceTimersByTimeAsync(25_000);
    last().watch.confirmedAtMs = performance.now();
    const [status] = live.statuses();
    expect(status?.ageMs).toBe(0);
  });

  it('goes with its last trigger', async () => {
    end();
    await vi.advanceTimersByTimeAsync(310_000);
    expect(last().closed).toBe(true);
  });
});
