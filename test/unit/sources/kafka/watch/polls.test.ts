import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pass, Watching } from '../../../../support/kafka/watching.ts';

const broker = 'a:9092';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function topic(partitions: number, made = new Watching()): { made: Watching; keys: string[] } {
  made.cluster.create('t', broker, partitions);
  return { made, keys: Array.from({ length: partitions }, (_, partition) => `t/${partition}`) };
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

  it('carry the whole list once, then only what changed', async () => {
    const { made, keys } = topic(3);
    const subjects = keys.slice(0, 2).map((key) => made.arm([key]));
    await pass(60_000);
    subjects[0]?.watch.close();
    const third = made.arm(['t/2']);
    await pass(10_100);
    expect(third.watch.state).toBe('armed');
    const changes = made.cluster.asked
      .filter(({ positions, forgotten }) => positions.length + forgotten.length > 0)
      .map(({ positions, forgotten }) => [positions.map(({ key }) => key), forgotten]);
    expect(changes).toEqual([
      [['t/0', 't/1'], []],
      [['t/2'], ['t/0']],
    ]);
  });

  it('send a partition that comes back before it was forgotten anew, and do not forget it', async () => {
    const { made } = topic(2);
    const [first, stays] = [await made.armed(['t/0']), await made.armed(['t/1'])];
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

  it('start short after additions, so that what goes quiet next is acknowledged soon', async () => {
    const { made } = topic(2);
    await made.armed(['t/0']);
    const next = made.arm(['t/1']);
    await pass(520);
    expect(next.watch.state).toBe('armed');
  });

  it('pause while nothing is wanted; the socket is kept for a minute, then the session is given back', async () => {
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
