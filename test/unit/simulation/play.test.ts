import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadFrom, played } from '../../support/simulation.ts';

/** This many items a second for this many seconds, then the next phase. */
function phases(...given: readonly (readonly [seconds: number, items: number])[]): number[] {
  return given.flatMap(([seconds, items]) => new Array<number>(seconds).fill(items));
}

/** 1,000 items after a minute of nothing, then nothing for an hour. */
const burst = loadFrom(phases([60, 0], [1, 1000], [3600, 0]));
/** The first second with at least this many replicas. A piece of the series covers some seconds. */
function reaches(series: readonly number[], replicas: number, seconds: number): number {
  return Math.floor((series.findIndex((one) => one >= replicas) * seconds) / series.length);
}

describe('a constant number of replicas', () => {
  const constant = (count: number): string => `minReplicaCount=${count},maxReplicaCount=${count}`;
  const arrivals = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 30, maxLength: 400 });
  const count = fc.integer({ min: 1, max: 8 });

  it('costs its replicas times the hours, and no event', () => {
    fc.assert(
      fc.property(arrivals, count, (items, replicas) => {
        const outcome = played(constant(replicas), loadFrom(items, { replicas }));
        expect(outcome.replicaHours).toBeCloseTo((replicas * items.length) / 3600, 9);
        const { scaleUps, scaleDowns, podStarts, mostReplicas } = outcome;
        expect([scaleUps, scaleDowns, podStarts, mostReplicas]).toEqual([0, 0, 0, replicas]);
      }),
      { numRuns: 50 },
    );
  });

  it('never makes items wait longer because of more replicas', () => {
    fc.assert(
      fc.property(arrivals, count, (items, replicas) => {
        const [few, more] = [replicas, replicas + 1].map((each) =>
          played(constant(each), loadFrom(items, { replicas: each })),
        );
        expect(more?.worstWaitSeconds).toBeLessThanOrEqual((few?.worstWaitSeconds ?? 0) + 1e-6);
        expect(more?.p99WaitSeconds).toBeLessThanOrEqual((few?.p99WaitSeconds ?? 0) + 0.002);
      }),
      { numRuns: 50 },
    );
  });

  it('handles every item that came', () => {
    fc.assert(
      fc.property(arrivals, count, (items, replicas) => {
        const sum = items.reduce((all, one) => all + one, 0);
        const outcome = played(constant(replicas), loadFrom(items));
        expect(outcome.items).toBeCloseTo(sum, 4);
        expect(outcome.neverTaken).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a burst', () => {
  it('gets all replicas at once with surge, and the pods after their start', () => {
    const { series, worstWaitSeconds, scaleUps, podStarts } = played('', burst);
    expect(reaches(series.replicas, 20, 3661)).toBeLessThanOrEqual(61);
    // 20 pods with 5 items a second start 10 s later.
    expect(worstWaitSeconds).toBeCloseTo(20, 1);
    expect([scaleUps, podStarts]).toEqual([1, 20]);
  });

  it('gets them by the clock of the HPA without surge: 1, 4, 8, 16, 20', () => {
    const { worstWaitSeconds, scaleUps } = played('surge=false', burst);
    expect(scaleUps).toBeGreaterThan(3);
    expect(worstWaitSeconds).toBeGreaterThan(30);
  });

  it('waits for the poll of KEDA if the trigger is external', () => {
    const pushed = played('surge=false', burst);
    const polled = played('type=external,surge=false,pollingInterval=200', burst);
    expect(polled.worstWaitSeconds).toBeGreaterThan(pushed.worstWaitSeconds + 30);
  });

  it('gives the HPA the number of the last poll with useCachedMetrics', () => {
    const cached = played('surge=false,useCachedMetrics=true,pollingInterval=200', burst);
    expect(cached.worstWaitSeconds).toBeGreaterThan(played('surge=false', burst).worstWaitSeconds + 30);
  });

  it.each([
    [0, 10],
    [30, 40],
    [120, 130],
  ])('waits for pods that start in %i s', (podStartSeconds, worst) => {
    expect(played('', burst, { podStartSeconds }).worstWaitSeconds).toBeCloseTo(worst, 1);
  });

  it('has ended when cooldownPeriod has passed: no replica is left', () => {
    const end = (change: string): number => played(change, burst).series.replicas.at(-1) ?? -1;
    expect(end('')).toBe(0);
    expect(end('cooldownPeriod=7200')).toBe(1);
    expect(end('minReplicaCount=3')).toBe(3);
  });

  it('keeps to the limits of behavior', () => {
    // An HPA without replicas does not look, so it remembers nothing that would hold it.
    const window = played('minReplicaCount=1,scaleUp.stabilizationWindowSeconds=90', burst);
    expect(window.worstWaitSeconds).toBeGreaterThan(90);
    expect(played('scaleUp.selectPolicy=Disabled', burst).mostReplicas).toBe(1);
    expect(played('maxReplicaCount=7', burst).mostReplicas).toBe(7);
  });

  it('has the configured headroom', () => {
    expect(played('headroomReplicas=2,headroomWhenIdle=true', loadFrom(phases([900, 0]))).mostReplicas).toBe(
      2,
    );
  });

  it('says what is never handled', () => {
    const { neverTaken, leftAtEnd, worstWaitSeconds } = played('maxReplicaCount=1', loadFrom([1e6, 0, 0]));
    expect(leftAtEnd).toBe(1e6);
    expect(neverTaken).toBeGreaterThan(1e5);
    expect(worstWaitSeconds).toBeGreaterThan(3_600);
  });
});

describe('metricType: Value', () => {
  // All the time 100 items wait for a threshold of 50. With AverageValue that means 2 replicas, with Value twice as
  // many, again and again.
  const steady = loadFrom(phases([600, 0]), { backlog: 100, replicas: 1 });
  const slow = { replicaRate: 0.00001, podStartSeconds: 0 };

  it('multiplies only ready replicas', () => {
    expect(played('', steady, slow).mostReplicas).toBe(2);
    expect(played('metricType=Value', steady, slow).mostReplicas).toBe(20);
  });

  it('does not multiply starting pods', () => {
    expect(played('metricType=Value', steady, { ...slow, podStartSeconds: 3_600 }).mostReplicas).toBe(2);
  });
});

describe('an unknown backlog', () => {
  const known = Uint8Array.from(phases([300, 1], [1200, 0], [600, 1]));
  const load = loadFrom(phases([2100, 20]), { known });

  it('keeps the present replicas', () => {
    const { series } = played('surge=false', load);
    const from = Math.ceil((370 * series.replicas.length) / 2100);
    const within = series.replicas.slice(from, Math.floor((1490 * series.replicas.length) / 2100));
    expect(new Set(within).size).toBe(1);
    expect(within[0]).toBeGreaterThan(0);
  });

  it('never means zero', () => {
    const idle = loadFrom(phases([60, 20], [2000, 0]), {
      known: Uint8Array.from(phases([60, 1], [2000, 0])),
    });
    expect(played('', idle).series.replicas.at(-1)).toBeGreaterThan(0);
  });
});

describe('policy: drain', () => {
  const day = loadFrom(phases([900, 2], [300, 90], [900, 40], [1800, 2]));

  it.each([30, 60, 300])('keeps the wait under %i s, with the necessary replicas', (drainSeconds) => {
    const outcome = played(`policy=drain,drainSeconds=${drainSeconds}`, day, { podStartSeconds: 5 });
    expect(outcome.drainSeconds).toBe(drainSeconds);
    expect(outcome.p99WaitSeconds).toBeLessThan(drainSeconds);
    expect(outcome.lateShare).toBe(0);
  });

  it('needs fewer replicas the longer items may wait', () => {
    const most = [30, 300].map((each) => played(`policy=drain,drainSeconds=${each}`, burst).mostReplicas);
    expect(most).toEqual([7, 1]);
  });

  it('says which part was late if the assumed rate is too high', () => {
    const outcome = played('policy=drain,drainSeconds=30,replicaRate=50', day);
    expect(outcome.lateShare).toBeGreaterThan(0.1);
  });

  it('learns the rate if the source shows it', () => {
    const wrong = played('policy=drain,drainSeconds=60,replicaRate=50', day);
    const learned = played('policy=drain,drainSeconds=60,replicaRate=learn,fallbackReplicaRate=50', day);
    expect(learned.worstWaitSeconds).toBeLessThan(wrong.worstWaitSeconds);
  });
});

it('begins with the given replicas', () => {
  const still = loadFrom(phases([60, 0]), { replicas: 3 });
  expect(played('', still).mostReplicas).toBe(3);
  expect(played('', still, { currentReplicas: 8 }).mostReplicas).toBe(8);
  expect(played('', still, { currentReplicas: 0 }).mostReplicas).toBe(0);
});

it('plays a week within seconds', () => {
  const week = loadFrom(Array.from({ length: 7 * 86_400 }, (_, i) => (i % 3_600 < 60 ? 50 : 1)));
  const outcome = played('policy=drain,drainSeconds=60,replicaRate=0.15,maxReplicaCount=1000', week, {
    replicaRate: 0.15,
  });
  expect(outcome.series.replicas).toHaveLength(240);
  expect(outcome.items).toBeCloseTo(604_800 + 168 * 60 * 49, 0);
});
