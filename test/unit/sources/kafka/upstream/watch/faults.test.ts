import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pass, Watching } from '../../../../../support/kafka/watching.ts';

const a = 'a:9092';
const b = 'b:9092';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watching(...topics: string[]): Watching {
  const made = new Watching();
  for (const topic of topics) made.cluster.create(topic, a);
  return made;
}

describe('a partition that can no longer be watched', () => {
  it('deleted topic: wakes, and leaves the session so that polls do not fail forever', async () => {
    const made = watching('t', 'u');
    const { causes } = await made.armed(['t/0']);
    await made.armed(['u/0']);
    made.cluster.delete('t');
    await pass(5);
    expect(causes).toEqual(['topic changed']);
    const asked = made.cluster.asked.length;
    await pass(30_000);
    expect(made.cluster.asked.length - asked).toBeLessThan(9);
    // After the time for which a session without partitions keeps its socket.
    await pass(60_000);
    expect(made.cluster.sessions.contents()).toEqual([`${a} u/0`]);
  });

  it('a topic created again and shorter: wakes', async () => {
    const made = watching('t');
    made.cluster.append('t', 0, 9);
    const { causes } = await made.armed(['t/0']);
    made.cluster.create('t', a);
    await pass(10_100);
    expect(causes).toEqual(['topic changed']);
  });

  it('a moved leader: wakes, the stale address is forgotten, and the new leader is watched', async () => {
    const made = watching('t');
    const { causes } = await made.armed(['t/0']);
    made.cluster.move('t', b);
    await pass(5);
    expect([causes, made.cluster.forgotten]).toEqual([['leader moved'], ['t']]);
    const again = await made.armed(['t/0']);
    made.cluster.append('t');
    await pass(5);
    expect(again.causes).toEqual(['record']);
  });

  it('a leader that moved silently: subjects that wait for the old one are woken', async () => {
    const made = watching('t', 'u');
    const old = await made.armed(['t/0', 'u/0']);
    await pass(20_000);
    // The old broker neither answers nor closes. Only the cluster's metadata shows the move.
    made.cluster.locate = () => b;
    made.arm(['t/0']);
    await pass(0);
    expect(old.causes).toEqual(['leader moved']);
  });

  it('an unexpected error: wakes, is logged once, and the topic is left alone for a while', async () => {
    const made = watching('t');
    const { causes } = await made.armed(['t/0']);
    made.cluster.partitionErrors.set('t/0', 2);
    made.cluster.stir();
    await pass(5);
    expect(causes).toEqual(['watch lost']);
    expect(made.arm(['t/0']).watch.state).toBe('refused');
    await pass(5000);
    expect((await made.armed(['t/0'])).causes).toEqual(['watch lost']);
    expect(made.warnings).toEqual([expect.stringContaining('CORRUPT_MESSAGE')]);
  });
});

describe('a topic without READ right', () => {
  it('is refused without a wake, logged once, and not requested again for ten minutes', async () => {
    const made = watching('t', 'u');
    made.cluster.unreadable.add('t');
    const { watch, causes } = await made.armed(['u/0', 't/0']);
    expect([watch.state, causes]).toEqual(['refused', []]);
    const asked = made.cluster.asked.length;
    expect(made.arm(['t/0']).watch.state).toBe('refused');
    await pass(1000);
    expect(made.cluster.asked).toHaveLength(asked);
    await pass(600_000);
    expect((await made.armed(['t/0'])).watch.state).toBe('refused');
    expect(made.warnings).toEqual([expect.stringMatching(/topic t: no READ right.*grant READ/)]);
    made.cluster.unreadable.clear();
    await pass(600_000);
    expect((await made.armed(['t/0'])).watch.state).toBe('armed');
  });

  it('does not touch the other topics of the session', async () => {
    const made = watching('t', 'u');
    made.cluster.unreadable.add('t');
    const [mine, other] = [made.arm(['t/0']), made.arm(['u/0'])];
    await pass(20);
    expect([mine.watch.state, other.watch.state]).toEqual(['refused', 'armed']);
    made.cluster.append('u');
    await pass(5);
    expect(other.causes).toEqual(['record']);
  });

  it('wakes a subject that was armed when the right is taken away', async () => {
    const made = watching('t');
    const { causes } = await made.armed(['t/0']);
    made.cluster.unreadable.add('t');
    await pass(10_100);
    expect(causes).toEqual(['watch refused']);
  });
});

describe('an evicted session', () => {
  it('is renewed with the old offsets: a record appended meanwhile wakes', async () => {
    const made = watching('t', 'u');
    const [mine, other] = [await made.armed(['t/0']), await made.armed(['u/0'])];
    await pass(20_000);
    made.cluster.sessions.evictAll();
    await pass(20_000);
    expect([mine.watch.state, other.watch.state]).toEqual(['armed', 'armed']);
    made.cluster.append('t');
    await pass(5);
    expect([mine.causes, other.causes]).toEqual([['record'], []]);
  });

  it('that is evicted before its second request counts as none', async () => {
    const made = watching('t');
    const { watch } = made.arm(['t/0']);
    await pass(3);
    made.cluster.sessions.evictAll();
    await pass(20);
    expect(watch.state).toBe('refused');
    expect(made.warnings).toHaveLength(1);
  });
});

describe('a broker', () => {
  it('that grants no session is left alone for a minute', async () => {
    const made = watching('t');
    made.cluster.sessions.granting = false;
    const { watch, causes } = await made.armed(['t/0']);
    expect([watch.state, causes, made.cluster.openWires]).toEqual(['refused', [], 0]);
    made.cluster.sessions.granting = true;
    await pass(59_000);
    expect(made.arm(['t/0']).watch.state).toBe('refused');
    await pass(1000);
    expect((await made.armed(['t/0'])).watch.state).toBe('armed');
    expect(made.warnings).toEqual([expect.stringContaining('grants no fetch session')]);
  });

  it('that grants no further session lets subjects at rest wait for its first one', async () => {
    const made = watching('t', 'u', 'v');
    await made.armed(['t/0']);
    await pass(20_000);
    made.cluster.sessions.granting = false;
    const refused = await made.armed(['u/0']);
    expect([refused.watch.state, refused.causes]).toEqual(['refused', []]);
    expect(made.warnings).toEqual([expect.stringContaining('grants no further fetch session')]);
    const waiting = await made.armed(['v/0']);
    expect(waiting.watch.state).toBe('arming');
    await pass(10_000);
    expect(waiting.watch.state).toBe('armed');
    expect(made.cluster.sessions.contents()).toEqual([`${a} t/0`, `${a} v/0`]);
  });

  it('that cannot be reached is dialled at most once in five seconds', async () => {
    const made = watching('t');
    made.cluster.unreachable.add(a);
    for (let second = 0; second < 20; second += 1) {
      const { watch, causes } = made.arm(['t/0']);
      await pass(1000);
      expect([watch.state, causes]).toEqual(['refused', []]);
    }
    expect(made.cluster.dials).toBe(4);
    expect(made.warnings).toHaveLength(1);
  });

  it('that closes the socket wakes all of its subjects once, and is watched again at once', async () => {
    const made = watching('t', 'u');
    const [t, u] = [await made.armed(['t/0']), await made.armed(['u/0'])];
    await pass(20_000);
    made.cluster.cut(a);
    await pass(0);
    expect([t.causes, u.causes]).toEqual([['watch lost'], ['watch lost']]);
    expect((await made.armed(['t/0'])).watch.state).toBe('armed');
  });

  it('that vanished silently is lost when its poll is overdue', async () => {
    const made = watching('t');
    const { causes } = await made.armed(['t/0']);
    await pass(60_000);
    made.cluster.freeze(a);
    made.cluster.unreachable.add(a);
    await pass(30_100);
    expect(causes).toEqual(['watch lost']);
    expect(made.cluster.openWires).toBe(0);
  });

  it('that has no version of Fetch with sessions is dialled once in an hour, and logged once', async () => {
    const made = watching('t', 'u');
    made.cluster.newestFetch = 6;
    const { watch, causes } = await made.armed(['t/0']);
    expect([watch.state, causes, made.cluster.openWires]).toEqual(['refused', [], 0]);
    for (let minute = 0; minute < 59; minute += 1) {
      expect((await made.armed(['u/0'])).watch.state).toBe('refused');
      await pass(60_000);
    }
    expect(made.cluster.dials).toBe(1);
    expect(made.said.filter((line) => line.includes('no fetch sessions'))).toHaveLength(1);
    made.cluster.newestFetch = 17;
    await pass(60_000);
    expect((await made.armed(['t/0'])).watch.state).toBe('armed');
  });

  it('that throttles the first request is asked again after the throttle, and not given up', async () => {
    const made = watching('t');
    made.cluster.sessions.throttled = { requests: 2, ms: 3000 };
    const { watch, causes } = made.arm(['t/0']);
    await pass(5900);
    expect([watch.state, made.cluster.asked.length]).toEqual(['arming', 2]);
    await pass(200);
    expect(watch.state).toBe('armed');
    expect([made.warnings, made.cluster.dials]).toEqual([[], 1]);
    made.cluster.append('t');
    await pass(5);
    expect(causes).toEqual(['record']);
  });
});

describe('a connection that dies silently', () => {
  it('is replaced a second after its poll should have ended, and records appended meanwhile wake then', async () => {
    const made = watching('t', 'u');
    const [t, u] = [await made.armed(['t/0']), await made.armed(['u/0'])];
    await pass(60_000);
    made.cluster.freeze(a);
    made.cluster.append('t');
    await pass(11_100);
    expect([t.causes, u.causes]).toEqual([['record'], []]);
    expect(u.watch.state).toBe('armed');
    expect(made.cluster.openWires).toBe(1);
    expect(made.said.filter((line) => line.includes('died silently'))).toHaveLength(1);
    made.cluster.append('u');
    await pass(5);
    expect(u.causes).toEqual(['record']);
  });

  it('has its broker’s other connections replaced with it, and reads hear of it', async () => {
    const made = watching('t', 'u');
    await made.armed(['t/0']);
    await pass(60_000);
    await made.armed(['u/0']);
    const committed = await made.armed(['u/0'], { readCommitted: true });
    await pass(60_000);
    const dials = made.cluster.dials;
    made.cluster.freeze(a);
    await pass(11_100);
    expect(made.silent).toEqual([a]);
    expect(made.cluster.dials - dials).toBe(2);
    made.cluster.append('u');
    await pass(5);
    expect(committed.causes).toEqual(['record']);
  });

  it('and is found dead by a read is replaced at once', async () => {
    const made = watching('t');
    const { causes } = await made.armed(['t/0']);
    await pass(60_000);
    made.cluster.freeze(a);
    made.cluster.append('t');
    made.watcher.suspect(a);
    await pass(10);
    expect(causes).toEqual(['record']);
    expect(made.silent).toEqual([]);
  });

  it('is not confused with a slow broker, which answers: nothing is replaced', async () => {
    const made = watching('t');
    const { causes, watch } = await made.armed(['t/0']);
    await pass(60_000);
    made.cluster.unreachable.add(a);
    const { hold } = made.cluster;
    made.cluster.hold = (isDone, maxWaitMs) => hold.call(made.cluster, isDone, maxWaitMs + 5000);
    await pass(60_000);
    expect([causes, watch.state, made.cluster.openWires]).toEqual([[], 'armed', 1]);
  });
});
