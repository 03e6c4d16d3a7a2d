import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { age, agedEventDir, eventDir, followed, inbound, openLog } from '../../support/event-store.ts';
import { recordingLog } from '../../support/recording-log.ts';

async function keptOf(dir: string, limits: { maxEvents?: number; retentionMs?: number } = {}) {
  const { events } = await openLog({ dir, ...limits });
  const { facts, replayed } = followed(events.feedOf('ci'));
  await replayed;
  const since = events.feedOf('ci').keptSince();
  await events.close();
  return { facts, since };
}

async function filled(ages: readonly number[]) {
  const dir = eventDir();
  const { events } = await openLog({ dir });
  const nowMs = Date.now();
  for (const [i, ageMs] of ages.entries()) await events.append(inbound(i + 1, 'ci', nowMs - ageMs));
  await events.close();
  await age(dir, ['ci'], nowMs);
  return { dir, nowMs };
}

describe('a file log', () => {
  it('is not older than the retention', async () => {
    const { dir, nowMs } = await filled([90_000, 70_000, 50_000, 0]);
    expect(await keptOf(dir, { retentionMs: 60_000 })).toEqual({
      facts: [3, 4],
      since: { atMs: nowMs - 70_000, because: 'dropped' },
    });
    // Written in the store itself, so that the next process knows.
    expect(await keptOf(dir)).toEqual({ facts: [3, 4], since: { atMs: nowMs - 70_000, because: 'dropped' } });
  });

  it('keeps everything if nothing is old', async () => {
    const { dir } = await filled([3, 2, 1]);
    expect(await keptOf(dir)).toEqual({
      facts: [1, 2, 3],
      since: { atMs: expect.any(Number), because: 'new' },
    });
  });

  it('is not more than maxEvents after a start', async () => {
    const { dir, nowMs } = await filled([40, 30, 20, 10]);
    expect(await keptOf(dir, { maxEvents: 1 })).toEqual({
      facts: [4],
      since: { atMs: nowMs - 20, because: 'dropped' },
    });
  });

  it('is not much more than maxEvents while it runs', async () => {
    const { events, store } = await openLog({ maxEvents: 100 });
    for (let n = 1; n <= 2000; n += 1) await events.append(inbound(n));
    await expect
      .poll(async () => {
        let count = 0;
        for await (const entries of store.read('ci', 0, 2000)) count += entries.length;
        return count;
      })
      .toBeLessThanOrEqual(110);
  });

  it('keeps one connection’s events whatever another one gets', async () => {
    const { events, dir } = await openLog({ dir: await agedEventDir('ci', 'flood'), maxEvents: 100 });
    for (let n = 1; n <= 5; n += 1) await events.append(inbound(n));
    for (let n = 1; n <= 2700; n += 1) await events.append(inbound(n, 'flood'));
    await events.close();
    const { facts, since } = await keptOf(dir, { maxEvents: 100 });
    expect([facts, since.because]).toEqual([[1, 2, 3, 4, 5], 'new']);
    const { events: again } = await openLog({ dir, maxEvents: 100 });
    const flood = followed(again.feedOf('flood'));
    await flood.replayed;
    expect([flood.facts.length, again.feedOf('flood').keptSince().because]).toEqual([95, 'dropped']);
  });

  it('grows after all of it was removed', async () => {
    const { dir } = await filled([90_000, 80_000]);
    await keptOf(dir, { retentionMs: 60_000 });
    const { events } = await openLog({ dir });
    await events.append(inbound(7));
    const { facts, replayed } = followed(events.feedOf('ci'));
    await replayed;
    expect(facts).toEqual([7]);
  });
});

describe('a disk that is full', () => {
  const full = new Error('IO error: 000003.log: No space left on device');

  it('refuses every event, passes none on, logs it once, and accepts events again afterwards', async () => {
    const log = recordingLog();
    const { events, store, dir } = await openLog({ log });
    const { facts, replayed } = followed(events.feedOf('ci'));
    await replayed;
    await events.append(inbound(1));
    store.failing = full;
    const refused = await Promise.allSettled([2, 3, 4].map((n) => events.append(inbound(n))));
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(events.append(inbound(5))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('No space left on device'),
    });
    store.failing = undefined;
    await expect
      .poll(() =>
        events.append(inbound(6)).then(
          () => 'kept',
          () => 'refused',
        ),
      )
      .toBe('kept');
    expect(facts).toEqual([1, 6]);
    expect(log.lines.map(({ level }) => level).filter((level) => level !== 'info')).toEqual(['error']);
    expect(log.lines.at(-1)?.message).toBe('the event log can be written to again');
    await events.close();
    expect((await keptOf(dir)).facts).toEqual([1, 6]);
  });

  it('is tried again only after a while: many events do not open it many times', async () => {
    const { events, store } = await openLog();
    store.failing = full;
    await expect(events.append(inbound(1))).rejects.toThrow();
    const { puts } = store;
    for (let n = 0; n < 50; n += 1) await expect(events.append(inbound(n))).rejects.toThrow();
    expect(store.puts).toBe(puts);
  });

  it('interrupts a replay under way, which continues when the store is back', async () => {
    const { events, store } = await openLog();
    await Promise.all(Array.from({ length: 1200 }, (_, i) => events.append(inbound(i))));
    const { facts, replayed } = followed(events.feedOf('ci'));
    await setTimeout();
    await store.close();
    await store.open();
    await replayed;
    expect(facts).toEqual(Array.from({ length: 1200 }, (_, i) => i));
  });
});
