import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Armed, pass, Watching } from '../../../../../support/kafka/watching.ts';

const broker = 'a:9092';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function topic(partitions: number, made = new Watching()): { made: Watching; keys: string[] } {
  made.cluster.create('t', broker, partitions);
  return { made, keys: Array.from({ length: partitions }, (_, partition) => `t/${partition}`) };
}

/** The additions and removals in each request that changed its session. */
function changes({ cluster }: Watching): string[][][] {
  return cluster.asked
    .map(({ positions, forgotten }) => [positions.map(({ key }) => key), [...forgotten]])
    .filter(([added, taken]) => (added?.length ?? 0) + (taken?.length ?? 0) > 0);
}

describe('polls', () => {
  it('cost one request in ten seconds for each thousand partitions', async () => {
    const { made, keys } = topic(2500);
    const subjects = keys.map((key) => made.arm([key]));
    await pass(60_000);
    expect(subjects.every(({ watch }) => watch.state === 'armed')).toBe(true);
    expect(made.cluster.dials).toBe(3);
    const asked = made.cluster.asked.length;
    await pass(100_000);
    expect(made.cluster.asked.length - asked).toBeLessThanOrEqual(30);
    expect(made.cluster.sessions.contents()).toHaveLength(2500);
  });

  it('carry the whole list once, then only changes', async () => {
    const { made, keys } = topic(3);
    const subjects = keys.slice(0, 2).map((key) => made.arm([key]));
    await pass(60_000);
    subjects[0]?.watch.close();
    const third = made.arm(['t/2']);
    await pass(10_100);
    expect(third.watch.state).toBe('armed');
    // The third one starts in its own session, because the other's poll is waiting.
    expect(changes(made)).toEqual([
      [['t/0', 't/1'], []],
      [['t/2'], []],
      [['t/2'], ['t/0']],
    ]);
  });

  it('send a partition again that comes back before it was forgotten, and do not forget it', async () => {
    const { made } = topic(2);
    const [first, stays] = [made.arm(['t/0']), made.arm(['t/1'])];
    await pass(60_000);
    first.watch.close();
    const again = made.arm(['t/0']);
    await pass(10_100);
    expect([again.watch.state, stays.watch.state]).toEqual(['armed', 'armed']);
    expect(made.cluster.asked.flatMap(({ forgotten }) => forgotten)).toEqual([]);
    made.cluster.append('t', 0);
    await pass(5);
    expect(again.causes).toEqual(['record']);
  });

  it('do not keep an addition waiting, however many are being held', async () => {
    const { made, keys } = topic(8);
    await made.armed(['t/0']);
    await pass(60_000);
    for (const [second, key] of keys.slice(1, 7).entries()) {
      const { watch, causes } = await made.armed([key]);
      expect([second, watch.state]).toEqual([second, 'armed']);
      made.cluster.append('t', Number(key.slice(2)));
      await pass(5);
      expect([second, causes]).toEqual([second, ['record']]);
      await pass(975);
    }
  });

  it('of spare sessions end: all is in one session again within ten seconds, and wakes on the way there', async () => {
    const { made, keys } = topic(4);
    await made.armed(['t/0']);
    await pass(60_000);
    const later: Armed[] = [];
    for (const key of keys.slice(1)) {
      later.push(await made.armed([key]));
      await pass(980);
    }
    expect(made.cluster.dials).toBeGreaterThan(1);
    await pass(10_000);
    const asked = made.cluster.asked.length;
    await pass(100_000);
    expect(made.cluster.asked.length - asked).toBeLessThanOrEqual(11 + 3);
    expect(made.cluster.openWires).toBe(1);
    expect(made.cluster.sessions.contents()).toEqual(keys.map((key) => `${broker} ${key}`));
    for (const key of keys.slice(1)) made.cluster.append('t', Number(key.slice(2)));
    await pass(10);
    expect(later.map(({ causes }) => causes)).toEqual([['record'], ['record'], ['record']]);
  });

  it('fill sessions up, so that no more remain than the partitions need', async () => {
    const { made, keys } = topic(3000);
    for (let at = 0; at < keys.length; at += 700) {
      for (const key of keys.slice(at, at + 700)) made.arm([key]);
      await pass(1300);
    }
    await pass(40_000);
    const asked = made.cluster.asked.length;
    await pass(100_000);
    expect(made.cluster.asked.length - asked).toBeLessThanOrEqual(33);
  });

  it('cost about two requests for all partitions that come to rest in a second, once a second forever', async () => {
    const { made } = topic(2);
    await made.armed(['t/0']);
    await pass(60_000);
    const asked = made.cluster.asked.length;
    for (let second = 0; second < 60; second += 1) {
      const { watch } = await made.armed(['t/1']);
      expect(watch.state).not.toBe('refused');
      await pass(480);
      watch.close();
      await pass(500);
    }
    expect(made.cluster.asked.length - asked).toBeLessThanOrEqual(2.5 * 60);
  });

  it('pause while nothing is watched; the socket is kept for a minute, then the session is given back', async () => {
    const { made } = topic(1);
    const { causes } = await made.armed(['t/0']);
    made.cluster.append('t');
    await pass(5);
    expect(causes).toEqual(['record']);
    const asked = made.cluster.asked.length;
    await pass(30_000);
    const again = await made.armed(['t/0']);
    expect([again.watch.state, made.cluster.dials]).toEqual(['armed', 1]);
    expect(made.cluster.asked.length - asked).toBe(2);
    again.watch.close();
    await pass(75_000);
    expect([made.cluster.openWires, made.cluster.sessions.size, vi.getTimerCount()]).toEqual([0, 0, 0]);
  });
});
