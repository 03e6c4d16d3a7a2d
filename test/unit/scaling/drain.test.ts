import { describe, expect, it } from 'vitest';
import { Drain, type DrainPolicy, type DrainSample, type DrainStep } from '../../../src/scaling/drain.ts';

const policy: DrainPolicy = { drainSeconds: 60, replicaRate: 10, learn: false };

/** Takes a sample for each second. Fields missing in `at` stay as they were. Returns the last step. */
function run(
  drain: Drain,
  seconds: readonly [from: number, to: number],
  at: (second: number) => Omit<DrainSample, 'atMs'>,
): DrainStep {
  for (let second = seconds[0]; second < seconds[1]; second += 1) {
    drain.take({ atMs: second * 1000, ...at(second) });
  }
  return drain.now;
}

describe('replicas for a wait', () => {
  it.each([
    // items, arrivals a second: replicas
    [0, 0, 0],
    [1, 0, 1],
    [600, 0, 1],
    [601, 0, 2],
    [6_000, 0, 10],
    [6_000, 50, 15],
    [0, 95, 10],
  ])('of %d items, while %d a second arrive, are %d', (items, perSecond, replicas) => {
    const step = run(new Drain(policy), [0, 100], (second) => ({ items, arrived: second * perSecond }));
    expect(step).toMatchObject({ desired: replicas, arrivalRate: perSecond, replicaRate: 10, settled: true });
  });

  it('count arrivals by the growth of the backlog if nothing else does', () => {
    const step = run(new Drain(policy), [0, 60], (second) => ({ items: second * 20 }));
    expect(step.arrivalRate).toBe(20);
    const worked = run(new Drain(policy), [0, 60], (second) => ({ items: 600, consumed: second * 5 }));
    expect(worked).toMatchObject({ arrivalRate: 5, consumptionRate: 5 });
  });

  it('do not expect a burst that already waits to continue', () => {
    const drain = new Drain(policy);
    run(drain, [0, 60], () => ({ items: 0, arrived: 0 }));
    const step = run(drain, [60, 80], () => ({ items: 6_000, arrived: 6_000 }));
    expect(step).toMatchObject({ desired: 10, arrivalRate: 0 });
    expect(run(drain, [80, 120], () => ({ items: 6_000, arrived: 6_000 })).desired).toBe(10);
  });

  it('expect arrivals of half a minute to continue', () => {
    const drain = new Drain(policy);
    run(drain, [0, 60], () => ({ items: 0, arrived: 0 }));
    const step = run(drain, [60, 92], (second) => ({ items: 0, arrived: (second - 60) * 100 }));
    expect(step.arrivalRate).toBeGreaterThan(80);
  });

  it('are held for as long as items may wait, and for a minute if none may', () => {
    const drain = new Drain({ ...policy, drainSeconds: 120 });
    const begun = run(drain, [0, 70], () => ({ items: 12_000, arrived: 0 }));
    expect(begun.desired).toBe(10);
    expect(run(drain, [70, 185], () => ({ items: 1, arrived: 0 }))).toMatchObject({
      desired: 10,
      because: 'held',
    });
    expect(run(drain, [185, 200], () => ({ items: 1, arrived: 0 })).desired).toBe(1);
    const other = new Drain({ ...policy, drainSeconds: 120 });
    run(other, [0, 70], () => ({ items: 12_000, arrived: 0 }));
    expect(run(other, [70, 128], () => ({ items: 0, arrived: 0 })).desired).toBe(10);
    expect(run(other, [128, 140], () => ({ items: 0, arrived: 0 })).desired).toBe(0);
  });

  it('are never more than can have work, and divide the partitions if they must', () => {
    const lag = { items: 60_000, arrived: 0 };
    expect(run(new Drain(policy), [0, 20], () => ({ ...lag, most: 12 }))).toMatchObject({
      desired: 12,
      because: 'most',
    });
    const even = { items: 3_000, arrived: 0, most: 12, even: true };
    expect(run(new Drain(policy), [0, 20], () => even).desired).toBe(6);
  });

  it('show how long the wait is: by consumption, if that can be their true rate', () => {
    const slow = run(new Drain(policy), [0, 60], (second) => ({
      items: 6_000,
      arrived: 25 * second,
      consumed: 25 * second,
    }));
    expect(slow.expectedWaitSeconds).toBe(240);
    const idle = run(new Drain(policy), [0, 60], (second) => ({
      items: 6_000,
      arrived: second,
      consumed: second,
    }));
    expect(idle.expectedWaitSeconds).toBe(6_000 / (10 * idle.desired));
    expect(
      run(new Drain(policy), [0, 20], () => ({ items: 5, most: 0 })).expectedWaitSeconds,
    ).toBeUndefined();
  });

  it('are not reduced by counts that begin again, or of other places', () => {
    const drain = new Drain(policy);
    run(drain, [0, 60], (second) => ({ items: 0, arrived: 1e9 + second * 50, places: 4 }));
    const grown = run(drain, [60, 70], (second) => ({ items: 0, arrived: 5e9 + second * 50, places: 5 }));
    expect(grown.arrivalRate).toBe(50);
    const anew = run(drain, [70, 130], (second) => ({ items: 0, arrived: second * 50, places: 5 }));
    expect(anew.arrivalRate).toBe(50);
  });
});

/** A busy group: items that last forever, handled at this rate. */
const busy = (consumers: number, throughput: number) => (second: number) => ({
  items: 100_000,
  arrived: 1e9,
  consumed: 1e6 + second * throughput,
  consumers,
});

describe('the rate of a replica, learned', () => {
  const learning: DrainPolicy = { drainSeconds: 600, replicaRate: 1, learn: true };

  it('is the fallback until a group has worked for half a minute with the same members', () => {
    const drain = new Drain(learning);
    expect(run(drain, [0, 60], busy(4, 100))).toMatchObject({ replicaRate: 1, learned: false });
    expect(run(drain, [60, 70], busy(4, 100))).toMatchObject({ replicaRate: 25, learned: true });
  });

  it('is exact though commits come in bursts', () => {
    const drain = new Drain(learning);
    const lumps = (second: number) => ({
      ...busy(4, 100)(second),
      consumed: 1e6 + Math.floor(second / 13) * 1_300,
    });
    expect(run(drain, [0, 180], lumps).replicaRate).toBeCloseTo(25, 6);
  });

  it.each([
    ['some have nothing to do', { saturated: false }],
    ['little waits', { items: 900 }],
    ['members are not known, or change', { consumers: undefined }],
    ['there are none', { consumers: 0 }],
  ])('is not learned where %s', (_, more) => {
    const drain = new Drain(learning);
    const step = run(drain, [0, 300], (second) => ({ ...busy(4, 100)(second), ...more }));
    expect(step).toMatchObject({ replicaRate: 1, learned: false });
  });

  it('stays the same during a rebalance, in which commits pause', () => {
    const drain = new Drain(learning);
    const before = run(drain, [0, 120], busy(4, 100));
    const paused = busy(4, 100)(119);
    const during = run(drain, [120, 150], () => ({ ...paused, consumers: undefined }));
    expect(during.replicaRate).toBe(25);
    expect(during.desired).toBeGreaterThanOrEqual(before.desired);
    const after = run(drain, [150, 300], (second) => ({
      ...busy(5, 125)(second),
      consumed: paused.consumed + (second - 150) * 125,
    }));
    expect(after.replicaRate).toBe(25);
  });
});

describe('more replicas that turned out slower', () => {
  const learning: DrainPolicy = { drainSeconds: 60, replicaRate: 1, learn: true };
  const grown = (throughput: number) => {
    const drain = new Drain(learning);
    run(drain, [0, 120], busy(4, 100));
    let consumed = busy(4, 100)(119).consumed;
    const seconds = (from: number, to: number, consumers: number, perSecond: number) =>
      run(drain, [from, to], () => {
        consumed += perSecond;
        return { ...busy(consumers, 0)(0), consumed };
      });
    seconds(120, 240, 8, throughput);
    return { drain, seconds };
  };

  it('are not wanted again for ten minutes, and then tried', () => {
    const { drain, seconds } = grown(80);
    expect(drain.now).toMatchObject({ desired: 4, because: 'slower' });
    expect(seconds(240, 780, 4, 100).desired).toBe(4);
    expect(seconds(780, 860, 4, 100).desired).toBeGreaterThan(4);
  });

  it('are not wanted for twice as long if they are slower again', () => {
    const { seconds } = grown(80);
    seconds(240, 860, 4, 100);
    expect(seconds(860, 980, 8, 80)).toMatchObject({ desired: 4, because: 'slower' });
    expect(seconds(980, 2_100, 4, 100).desired).toBe(4);
    expect(seconds(2_100, 2_260, 4, 100).desired).toBeGreaterThan(4);
  });

  it.each([[95], [100], [200]])('do not include %d items a second, after 100', (throughput) => {
    expect(grown(throughput).drain.now.because).not.toBe('slower');
  });
});
