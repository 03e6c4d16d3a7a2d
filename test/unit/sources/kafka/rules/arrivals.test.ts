import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Arrivals,
  foldArrivals,
  mostMarks,
  oldestOf,
} from '../../../../../src/sources/kafka/rules/arrivals.ts';
import type { PartitionOffsets } from '../../../../../src/sources/kafka/rules/snapshot.ts';
import type { Oldest } from '../../../../../src/sources/source.ts';

type Shape = Omit<PartitionOffsets, 'partition'>;
type Read = readonly [atMs: number, shape: Shape];

/** The results after each of the reads. */
function oldestAfter(...reads: readonly Read[]): (Oldest | undefined)[] {
  let arrivals: Arrivals | undefined;
  let then: PartitionOffsets | undefined;
  return reads.map(([atMs, shape]) => {
    const now = { ...shape, partition: 0 };
    arrivals = foldArrivals(arrivals, then, now, atMs);
    then = now;
    return arrivals && oldestOf(arrivals, now);
  });
}

/** A read of a log that begins at 0. */
function at(atMs: number, committed: number | undefined, end: number, more: Partial<Shape> = {}): Read {
  return [atMs, { logStart: 0, end, committed, ...more }];
}

const since = (sinceMs: number): Oldest => ({ sinceMs, atLeast: false });
const atLeast = (sinceMs: number): Oldest => ({ sinceMs, atLeast: true });

describe('the oldest waiting record', () => {
  it.each<[string, readonly Read[], Oldest | undefined]>([
    ['none waits', [at(100, 9, 9)], undefined],
    ['none waits any more', [at(100, 5, 9), at(200, 9, 9)], undefined],
    ['it was there at the first read', [at(100, 5, 9)], atLeast(100)],
    ['it is there on', [at(100, 5, 9), at(200, 5, 9)], atLeast(100)],
    ['a part of what was there is done', [at(100, 5, 9), at(200, 7, 12)], atLeast(100)],
    ['all that was there is done', [at(100, 5, 9), at(200, 9, 12)], since(200)],
    ['the first after a rest', [at(100, 9, 9), at(200, 9, 12), at(300, 9, 15)], since(200)],
    ['the group has come to a later one', [at(100, 9, 9), at(200, 9, 12), at(300, 12, 15)], since(300)],
    ['the group is within a mark', [at(100, 9, 9), at(200, 9, 12), at(300, 11, 15)], since(200)],
    ['one came and went, another came', [at(100, 9, 9), at(200, 9, 12), at(300, 13, 15)], since(300)],
    ['reset to where nothing is known', [at(100, 9, 9), at(200, 9, 12), at(300, 4, 12)], atLeast(200)],
    ['reset while none waited', [at(100, 9, 9), at(200, 4, 9)], atLeast(200)],
    [
      'reset, and back at what is known',
      [at(100, 9, 9), at(200, 9, 12), at(300, 4, 12), at(400, 10, 12)],
      since(200),
    ],
    ['no commit: the log begins with it', [at(100, undefined, 0), at(200, undefined, 3)], since(200)],
    ['no commit, and there at the first read', [at(100, undefined, 3)], atLeast(100)],
    [
      'retention has deleted the oldest',
      [at(100, 9, 9), at(200, 9, 12), at(300, 9, 15), at(400, 9, 15, { logStart: 12 })],
      since(300),
    ],
    ['the log was made anew', [at(100, 9, 9), at(200, 9, 12), at(300, 0, 3)], atLeast(300)],
    ['the commit is of a log that is no more', [at(100, 9, 9), at(200, 50, 12)], atLeast(200)],
    ['the commit overtook the end', [at(100, 9, 9), at(200, 12, 12), at(300, 12, 13)], since(300)],
    [
      'the commit lies beyond an open transaction',
      [at(100, 9, 9), at(200, 11, 9, { highWatermark: 12 })],
      undefined,
    ],
  ])('%s', (_, reads, expected) => {
    expect(oldestAfter(...reads).at(-1)).toEqual(expected);
  });

  it('needs no more room while the group commits and no record comes', () => {
    let arrivals: Arrivals | undefined;
    let then: PartitionOffsets | undefined;
    for (let committed = 0; committed < 5; committed += 1) {
      const now = { partition: 0, logStart: 0, end: 9, committed };
      arrivals = foldArrivals(arrivals, then, now, committed * 100);
      then = now;
    }
    expect(arrivals?.marks).toEqual([{ end: 9, seenAtMs: 0 }]);
  });

  it('is younger after each commit that reaches a later read', () => {
    const filled = [at(0, 0, 0), at(100, 0, 10), at(200, 0, 20), at(300, 0, 30)];
    const committed = [at(400, 10, 30), at(500, 20, 30), at(600, 30, 30)];
    const after = oldestAfter(...filled, ...committed);
    expect(after.slice(3)).toEqual([since(100), since(200), since(300), undefined]);
  });
});

describe('against a log that knows when each of its records came', () => {
  /** Between two reads time passes, records come, the group commits, and retention deletes. */
  const step = fc.record({
    waitMs: fc.integer({ min: 1, max: 10_000 }),
    records: fc.nat(20),
    commits: fc.nat(25),
    resets: fc.option(fc.nat(60), { freq: 10, nil: 0 }),
    deletes: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(10)),
  });

  it('is never older than the record, and younger at most by the time between two reads, or says so', () => {
    let exact = 0;
    fc.assert(
      fc.property(fc.nat(30), fc.array(step, { minLength: 1, maxLength: mostMarks }), (before, steps) => {
        const came = Array.from({ length: before }, (_, i) => i - 1000);
        const reads: Read[] = [at(0, 0, before)];
        const facts = [{ atMs: 0, first: 0, intervalMs: 0 }];
        let [nowMs, committed, logStart, hasReset] = [0, 0, 0, false];
        for (const { waitMs, records, commits, resets, deletes } of steps) {
          for (let n = 1; n <= records; n += 1) came.push(nowMs + (waitMs * n) / records);
          nowMs += waitMs;
          logStart = Math.min(came.length, logStart + deletes);
          committed = Math.max(0, Math.min(came.length, committed + commits) - (resets ?? 0));
          hasReset ||= (resets ?? 0) > 0;
          reads.push(at(nowMs, committed, came.length, { logStart }));
          facts.push({ atMs: nowMs, first: Math.max(committed, logStart), intervalMs: waitMs });
        }
        const longestMs = Math.max(...facts.map(({ intervalMs }) => intervalMs));
        for (const [i, oldest] of oldestAfter(...reads).entries()) {
          const { atMs = 0, first = 0 } = facts[i] ?? {};
          const cameMs = came[first];
          const waits = first < (reads[i]?.[1].end ?? 0);
          expect(oldest !== undefined).toBe(waits);
          if (oldest === undefined || cameMs === undefined) continue;
          expect(oldest.sinceMs).toBeGreaterThanOrEqual(cameMs);
          expect(oldest.sinceMs).toBeLessThanOrEqual(atMs);
          if (!hasReset) expect(oldest.atLeast).toBe(first < before);
          if (oldest.atLeast) continue;
          exact += 1;
          expect(oldest.sinceMs - cameMs).toBeLessThan(longestMs);
        }
      }),
      { numRuns: 500 },
    );
    expect(exact).toBeGreaterThan(500);
  });

  it.each([
    ['ten minutes', 600, 0.25],
    ['an hour', 3600, 1 / 3],
    ['a day', 86_400, 1 / 2],
  ])(
    'is younger by no more than a part of its age, with %s of reads in a bounded list',
    (_, seconds, part) => {
      let arrivals: Arrivals | undefined;
      let then: PartitionOffsets | undefined;
      // A record in the middle of each second, read at its end.
      for (let end = 0; end <= seconds; end += 1) {
        const now = { partition: 0, logStart: 0, end, committed: 0 };
        arrivals = foldArrivals(arrivals, then, now, end * 1000);
        then = now;
      }
      expect(arrivals?.marks).toHaveLength(mostMarks);
      const nowMs = seconds * 1000;
      for (let first = 0; first < seconds; first += Math.ceil(seconds / 2000)) {
        const now = { partition: 0, logStart: 0, end: seconds, committed: first };
        const left = foldArrivals(arrivals, then, now, nowMs);
        const oldest = left && oldestOf(left, now);
        const realMs = nowMs - (first * 1000 + 500);
        const ageMs = nowMs - (oldest?.sinceMs ?? Number.NaN);
        expect(ageMs).toBeLessThanOrEqual(realMs);
        expect(ageMs).toBeGreaterThan((1 - part) * realMs - 1000);
      }
      const stuck = arrivals && then && oldestOf(arrivals, then);
      expect(stuck).toEqual(since(1000));
    },
  );
});
