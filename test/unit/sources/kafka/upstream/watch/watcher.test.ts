import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pass, Watching } from '../../../../../support/kafka/watching.ts';

const broker = 'a:9092';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watching(...topics: string[]): Watching {
  const made = new Watching();
  for (const topic of topics) made.cluster.create(topic, broker);
  return made;
}

describe('a watch', () => {
  it('is arming until the broker has answered for all of its partitions, then armed', async () => {
    const { watch } = watching('t').arm(['t/0']);
    expect([watch.state, watch.confirmedAtMs]).toEqual(['arming', undefined]);
    await pass(20);
    expect(watch.state).toBe('armed');
    expect(watch.confirmedAtMs).toBeGreaterThan(0);
  });

  it('wakes its subject once when a record is appended, and ends', async () => {
    const made = watching('t');
    const { watch, causes } = await made.armed(['t/0']);
    await pass(60_000);
    expect(causes).toEqual([]);
    made.cluster.append('t');
    made.cluster.append('t');
    await pass(5);
    expect([causes, watch.state]).toEqual([['record'], 'refused']);
  });

  it('wakes for a record that came between the snapshot and the arming', async () => {
    const made = watching('t');
    made.cluster.append('t', 0, 5);
    const { causes } = await made.armed(['t/0'], { ends: [4] });
    expect(causes).toEqual(['record']);
  });

  it('confirms with every poll that nothing was appended', async () => {
    const { watch } = await watching('t').armed(['t/0']);
    await pass(60_000);
    expect(performance.now() - (watch.confirmedAtMs ?? 0)).toBeLessThan(10_100);
  });

  it('wakes each subject of a partition, and every partition that moved, in one answer', async () => {
    const made = watching('t', 'u');
    const [first, second] = [await made.armed(['t/0']), await made.armed(['t/0', 'u/0'])];
    const other = await made.armed(['u/0']);
    await pass(60_000);
    // Both before the broker writes its answer. Only the first carries records.
    made.cluster.append('t');
    made.cluster.append('u');
    await pass(10);
    expect([first.causes, second.causes, other.causes]).toEqual([['record'], ['record'], ['record']]);
  });

  it('can be closed and armed again inside the wake', async () => {
    const made = watching('t');
    const wakes: string[] = [];
    const arm = (): void => {
      const request = { partitions: [{ topic: 't', partition: 0, end: made.cluster.end('t') }] };
      const watch = made.watcher.arm({ ...request, isolationLevel: 'readUncommitted' }, (cause) => {
        wakes.push(cause);
        watch.close();
        arm();
      });
    };
    arm();
    await pass(100);
    made.cluster.append('t');
    await pass(100);
    made.cluster.append('t');
    await pass(100);
    expect(wakes).toEqual(['record', 'record']);
  });

  it('does not wake after it was closed', async () => {
    const made = watching('t');
    const { watch, causes } = await made.armed(['t/0']);
    watch.close();
    made.cluster.append('t');
    await pass(60_000);
    expect(causes).toEqual([]);
  });

  it('watches a readCommitted subject by the last stable offset', async () => {
    const made = watching('t');
    made.cluster.appendOpen('t');
    const { watch, causes } = await made.armed(['t/0'], { ends: [0], readCommitted: true });
    await pass(60_000);
    expect([watch.state, causes]).toEqual(['armed', []]);
    made.cluster.append('t');
    await pass(5);
    expect(causes).toEqual(['record']);
  });

  it('over thousands of partitions is armed in parts, and wakes for a record in any of them', async () => {
    const made = new Watching();
    made.cluster.create('t', broker, 3500);
    const keys = Array.from({ length: 3500 }, (_, partition) => `t/${partition}`);
    const { watch, causes } = made.arm(keys);
    await pass(0);
    expect(watch.state).toBe('arming');
    await pass(60_000);
    expect([watch.state, made.cluster.sessions.contents().length]).toEqual(['armed', 3500]);
    made.cluster.append('t', 3400);
    await pass(10);
    expect([causes, watch.state]).toEqual([['record'], 'refused']);
    const closed = made.arm(keys, { ends: keys.map(() => 1) });
    closed.watch.close();
    await pass(100_000);
    expect(made.cluster.sessions.contents()).toEqual([]);
  });

  it('is refused without a partition to watch, or without a leader', () => {
    const made = watching();
    expect(made.arm([]).watch.state).toBe('refused');
    expect(made.arm(['unknown/0']).watch.state).toBe('refused');
    expect(made.cluster.dials).toBe(0);
  });
});

describe('subjects that share a partition', () => {
  it('have it once in the session, for as long as one of them needs it', async () => {
    const made = watching('t', 'u');
    const first = await made.armed(['t/0']);
    const second = await made.armed(['t/0', 'u/0']);
    await pass(80_000);
    expect(made.cluster.sessions.contents()).toEqual([`${broker} t/0`, `${broker} u/0`]);
    first.watch.close();
    await pass(20_000);
    expect(made.cluster.sessions.contents()).toEqual([`${broker} t/0`, `${broker} u/0`]);
    second.watch.close();
    const third = await made.armed(['u/0']);
    await pass(80_000);
    expect(made.cluster.sessions.contents()).toEqual([`${broker} u/0`]);
    expect(third.watch.state).toBe('armed');
  });

  it('wake at once if one saw less than the other, but never inside arm', async () => {
    const made = watching('t');
    made.cluster.append('t', 0, 9);
    const ahead = await made.armed(['t/0']);
    const behind = made.arm(['t/0'], { ends: [7] });
    expect(behind.causes).toEqual([]);
    await pass(0);
    expect([behind.causes, ahead.causes, ahead.watch.state]).toEqual([['record'], [], 'armed']);
  });

  it('wake if another one saw more, and are watched from there', async () => {
    const made = watching('t');
    const behind = await made.armed(['t/0']);
    made.cluster.append('t');
    const ahead = made.arm(['t/0']);
    await pass(0);
    expect([behind.causes, ahead.causes]).toEqual([['record'], []]);
    await pass(20);
    expect(ahead.watch.state).toBe('armed');
    made.cluster.append('t');
    await pass(5);
    expect(ahead.causes).toEqual(['record']);
  });
});

describe('a closed watcher', () => {
  it('leaves no socket and no timer, wakes nobody, and refuses', async () => {
    const made = watching('t', 'u');
    const armed = await made.armed(['t/0']);
    const arming = made.arm(['u/0']);
    made.watcher.close();
    expect([armed.watch.state, arming.watch.state]).toEqual(['refused', 'refused']);
    await pass(100);
    expect(made.cluster.openWires).toBe(0);
    expect(made.arm(['t/0']).watch.state).toBe('refused');
    made.cluster.append('t');
    await pass(60_000);
    expect([armed.causes, arming.causes, vi.getTimerCount()]).toEqual([[], [], 0]);
  });

  it('closes a socket that was still being dialled', async () => {
    const made = watching('t');
    made.arm(['t/0']);
    made.watcher.close();
    await pass(100);
    expect([made.cluster.dials, made.cluster.openWires, made.cluster.asked]).toEqual([1, 0, []]);
  });
});
