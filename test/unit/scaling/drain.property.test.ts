import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Drain,
  type DrainPolicy,
  type DrainSample,
  type DrainStep,
  settleMs,
  startMs,
} from '../../../src/scaling/drain.ts';

const anyPolicy: fc.Arbitrary<DrainPolicy> = fc.record({
  drainSeconds: fc.double({ min: 1, max: 3_600, noNaN: true }),
  replicaRate: fc.double({ min: 0.01, max: 10_000, noNaN: true }),
  learn: fc.boolean(),
});

/** Anything that a source or a recording may report: invalid numbers, falling counts, late reads. */
const anySample = fc.record(
  {
    afterMs: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: -1_000, max: 600_000 })),
    items: fc.oneof(fc.nat(1e6), fc.double()),
    arrived: fc.oneof(fc.nat(1e9), fc.double()),
    consumed: fc.oneof(fc.nat(1e9), fc.double()),
    consumers: fc.oneof(fc.nat(50), fc.double()),
    saturated: fc.boolean(),
    places: fc.nat(3),
    most: fc.oneof(fc.nat(200), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 2.5)),
    even: fc.boolean(),
  },
  { requiredKeys: ['afterMs', 'items'] },
);

function samplesOf(steps: readonly (Omit<DrainSample, 'atMs'> & { afterMs: number })[]): DrainSample[] {
  let atMs = 0;
  return steps.map(({ afterMs, ...sample }) => {
    atMs += afterMs;
    return { ...sample, atMs };
  });
}

describe('whatever the samples are', () => {
  it('replicas are whole, rates are finite, and nothing exceeds what can have work', () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(anySample, { maxLength: 60 }), (policy, given) => {
        const drain = new Drain(policy);
        for (const sample of samplesOf(given)) {
          const before = drain.now;
          const step = drain.take(sample);
          expect(Number.isInteger(step.desired)).toBe(true);
          expect(step.desired).toBeGreaterThanOrEqual(0);
          for (const number of [step.arrivalRate, step.consumptionRate, step.expectedWaitSeconds]) {
            if (number === undefined) continue;
            expect(Number.isFinite(number)).toBe(true);
            expect(number).toBeGreaterThanOrEqual(0);
          }
          expect(step.replicaRate).toBeGreaterThan(0);
          expect(Number.isFinite(step.replicaRate)).toBe(true);
          const { most = Number.NaN } = sample;
          if (step !== before && most >= 0 && Number.isFinite(most)) {
            expect(step.desired).toBeLessThanOrEqual(Math.floor(most));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('more items, or more arrivals, never mean fewer replicas', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 200, max: 20_000 }),
      items: fc.nat(10_000),
      more: fc.nat(5_000),
      came: fc.nat(2_000),
      moreCame: fc.nat(1_000),
    });
    fc.assert(
      fc.property(anyPolicy, fc.array(step, { maxLength: 80 }), (policy, steps) => {
        const less = new Drain({ ...policy, learn: false });
        const more = new Drain({ ...policy, learn: false });
        let atMs = 0;
        let came = 0;
        let cameToMore = 0;
        for (const one of steps) {
          atMs += one.afterMs;
          came += one.came;
          cameToMore += one.came + one.moreCame;
          const few = less.take({ atMs, items: one.items, arrived: came });
          const many = more.take({ atMs, items: one.items + one.more, arrived: cameToMore });
          expect(many.desired).toBeGreaterThanOrEqual(few.desired);
        }
      }),
      { numRuns: 300 },
    );
  });
});

interface Load {
  /** Items a second. `seconds` is for how long. */
  readonly perSecond: number;
  readonly seconds: number;
}

const anyLoad: fc.Arbitrary<readonly Load[]> = fc.array(
  fc.record({
    perSecond: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 500, noNaN: true })),
    seconds: fc.integer({ min: 1, max: 120 }),
  }),
  { minLength: 1, maxLength: 8 },
);

interface Second {
  readonly step: DrainStep;
  readonly items: number;
  /** How long the oldest waiting item has waited. */
  readonly oldestSeconds: number;
}

interface QueueOptions {
  readonly policy: DrainPolicy;
  readonly loads: readonly Load[];
  /** The true rate of one replica, in items a second. */
  readonly trueRate: number;
  /** The counts that the source reports. */
  readonly tells: 'arrived' | 'both' | 'neither';
}

/** A first-in-first-out queue with exactly the desired replicas, read every second. */
function* queue({ policy, loads, trueRate, tells }: QueueOptions): Generator<Second> {
  const drain = new Drain(policy);
  let arrived = 0;
  let consumed = 0;
  let second = 0;
  /** How many had arrived by the end of each second. */
  const arrivedBy: number[] = [];
  for (const { perSecond, seconds } of [...loads, { perSecond: 0, seconds: 600 }]) {
    for (let i = 0; i < seconds; i += 1, second += 1) {
      arrived += perSecond;
      arrivedBy.push(arrived);
      const items = Math.max(0, arrived - consumed);
      const step = drain.take({
        atMs: second * 1000,
        items,
        ...(tells !== 'neither' && { arrived }),
        ...(tells === 'both' && { consumed }),
      });
      const done = consumed;
      const oldestAt = arrivedBy.findIndex((by) => by > done + 1e-6);
      yield { step, items, oldestSeconds: oldestAt === -1 || items < 1e-6 ? 0 : second - oldestAt };
      consumed = Math.min(arrived, consumed + step.desired * trueRate);
    }
  }
}

describe('a queue that gets the replicas it wants', () => {
  const anyQueue = {
    policy: fc.record({
      drainSeconds: fc.integer({ min: 5, max: 300 }),
      replicaRate: fc.double({ min: 0.5, max: 50, noNaN: true }),
      learn: fc.constant(false),
    }),
    loads: anyLoad,
    tells: fc.constantFrom('arrived' as const, 'both' as const, 'neither' as const),
  };

  it('no item waits for longer than drainSeconds', () => {
    fc.assert(
      fc.property(fc.record(anyQueue), (given) => {
        for (const { oldestSeconds } of queue({ ...given, trueRate: given.policy.replicaRate })) {
          // An item is seen by the first read after it came, and gone at the first after it was handled.
          expect(oldestSeconds).toBeLessThanOrEqual(given.policy.drainSeconds + 2);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('nothing is scaled in while the wait is too long, even if replicas are slower than stated', () => {
    const slowness = fc.double({ min: 1, max: 5, noNaN: true });
    fc.assert(
      fc.property(fc.record(anyQueue), slowness, (given, slower) => {
        const { drainSeconds, replicaRate } = given.policy;
        let before: Second | undefined;
        for (const now of queue({ ...given, tells: 'both', trueRate: replicaRate / slower })) {
          const { consumptionRate = 0, desired } = now.step;
          if (before && desired < before.step.desired) {
            const able = before.step.desired * replicaRate;
            const perSecond = consumptionRate >= able / 10 ? consumptionRate : able;
            expect(now.items / perSecond).toBeLessThanOrEqual(drainSeconds);
          }
          before = now;
        }
      }),
      { numRuns: 150 },
    );
  });

  it('all replicas are removed in the end', () => {
    fc.assert(
      fc.property(fc.record(anyQueue), (given) => {
        let last: Second | undefined;
        for (const now of queue({ ...given, trueRate: given.policy.replicaRate })) last = now;
        expect(last?.step.desired).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('noise', () => {
  it('of 4.7 % of the backlog only ever adds replicas, whatever its course', () => {
    const noise = fc.array(fc.double({ min: -0.047, max: 0.047, noNaN: true }), {
      minLength: 100,
      maxLength: 400,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.double({ min: 1, max: 1_000, noNaN: true }),
        noise,
        (drainSeconds, perSecond, factors) => {
          const drain = new Drain({ drainSeconds, replicaRate: 3, learn: false });
          let before = 0;
          factors.forEach((factor, second) => {
            const items = perSecond * drainSeconds * (1 + factor);
            const { desired } = drain.take({ atMs: second * 1000, items, arrived: 0 });
            expect(desired).toBeGreaterThanOrEqual(before);
            before = desired;
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('of half of the backlog changes nothing if its peaks come once in a hold', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 59 }),
        fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 200, maxLength: 400 }),
        (every, factors) => {
          const drain = new Drain({ drainSeconds: 60, replicaRate: 10, learn: false });
          const changes = new Set<number>();
          factors.forEach((factor, second) => {
            const items = 6_000 * (second % every === 0 ? 1.5 : 1 + factor);
            changes.add(drain.take({ atMs: second * 1000, items, arrived: 0 }).desired);
          });
          expect([...changes]).toEqual([15]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('after a start', () => {
  const samples = fc.array(
    fc.record({ afterMs: fc.integer({ min: 100, max: 3_000 }), items: fc.nat(10_000), came: fc.nat(100) }),
    { minLength: 1, maxLength: 100 },
  );

  it('no number is given, or at least that of the running consumers, and nothing is scaled in', () => {
    fc.assert(
      fc.property(
        samples,
        fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        (steps, consumers) => {
          const drain = new Drain({ drainSeconds: 60, replicaRate: 10, learn: consumers !== undefined });
          let atMs = 0;
          let arrived = 0;
          let before = 0;
          for (const { afterMs, items, came } of steps) {
            atMs += afterMs;
            arrived += came;
            const sinceMs = atMs - (steps[0]?.afterMs ?? 0);
            const step = drain.take({ atMs, items, arrived, consumers, most: 40 });
            if (sinceMs >= startMs) return;
            expect(step.desired).toBeGreaterThanOrEqual(before);
            if (consumers !== undefined) expect(step.desired).toBeGreaterThanOrEqual(consumers);
            expect(step.settled).toBe(consumers !== undefined || sinceMs >= settleMs);
            before = step.desired;
          }
        },
      ),
    );
  });
});

describe('a rebalance', () => {
  const pauses = fc.array(
    fc.record({ afterSeconds: fc.integer({ min: 5, max: 200 }), seconds: fc.integer({ min: 1, max: 60 }) }),
    { minLength: 1, maxLength: 4 },
  );

  it('that pauses commits leaves as many replicas as the wait needs, and changes no learned rate', () => {
    fc.assert(
      fc.property(
        pauses,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        (all, perSecond, trueRate) => {
          const drain = new Drain({ drainSeconds: 60, replicaRate: 5, learn: true });
          let second = 0;
          let consumed = 0;
          const arrived = () => 100_000 + second * perSecond;
          const read = (consumers: number | undefined) => {
            const atMs = second * 1000;
            second += 1;
            return drain.take({
              atMs,
              items: arrived() - consumed,
              arrived: arrived(),
              consumed,
              consumers,
              places: 40,
            });
          };
          for (const { afterSeconds, seconds } of all) {
            for (let i = 0; i < afterSeconds; i += 1) {
              const members = Math.max(1, Math.min(40, drain.now.desired));
              read(members);
              consumed = Math.min(arrived(), consumed + members * trueRate);
            }
            const members = Math.max(1, Math.min(40, drain.now.desired));
            let before = read(members);
            // No commit follows. The members are known at first, and later not.
            for (let i = 0; i < seconds; i += 1) {
              const now = read(i < 5 ? members : undefined);
              const needed = (arrived() - perSecond - consumed) / 60 / now.replicaRate;
              if (now.because !== 'slower') expect(now.desired).toBeGreaterThanOrEqual(Math.floor(needed));
              expect(now.replicaRate).toBe(before.replicaRate);
              before = now;
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
