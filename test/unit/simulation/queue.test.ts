import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Queue, Waits } from '../../../src/simulation/queue.ts';

/** Plays the arrivals of each second with this many replicas, until nothing is left. */
function worked(arrivals: readonly number[], replicaRate: number, replicas: number): Queue {
  const queue = new Queue(replicaRate);
  for (let second = 0; second < arrivals.length || queue.backlog > 0; second += 1) {
    queue.add(arrivals[second] ?? 0, second);
    queue.serve(replicas, second, second + 1);
  }
  return queue;
}

const arrivals = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 60 });
const replicaRate = fc.constantFrom(0.013, 0.05, 0.19, 0.3, 1, 2.5, 20);
const replicas = fc.integer({ min: 1, max: 12 });

describe('a queue', () => {
  it.each<[string, readonly number[], number, number, { worst: number; half: number }]>([
    ['a flow: the last of 100 items waits for those before', [100], 10, 2, { worst: 5, half: 2.5 }],
    ['a flow that keeps up: within the second', [10, 10, 10], 10, 1, { worst: 1, half: 0.5 }],
    ['one item at a time: as many as there are replicas begin at once', [3], 0.1, 3, { worst: 0, half: 0 }],
    ['one item at a time: the others when one is done', [4], 0.1, 2, { worst: 10, half: 0 }],
    ['one item at a time, in the midst of a second', [0, 2], 0.16, 1, { worst: 6.25, half: 0 }],
    ['nothing comes', [0, 0], 1, 1, { worst: 0, half: 0 }],
  ])('%s', (_, items, rate, count, { worst, half }) => {
    const { waits } = worked(items, rate, count);
    expect(waits.worstSeconds).toBeCloseTo(worst, 6);
    expect(waits.quantileSeconds(0.5)).toBeCloseTo(half, 2);
  });

  it('counts items in work, as a source does', () => {
    const queue = new Queue(0.1);
    queue.add(3, 0);
    queue.serve(2, 0, 1);
    expect([queue.backlog, queue.consumed, queue.oldestSeconds(1)]).toEqual([3, 0, 1]);
    queue.serve(2, 1, 11);
    expect([queue.backlog, queue.consumed, queue.oldestSeconds(11)]).toEqual([1, 2, 0]);
  });

  it('ends an item whose replica is removed', () => {
    const queue = new Queue(0.1);
    queue.add(4, 0);
    queue.serve(2, 0, 5);
    queue.serve(1, 5, 15);
    expect([queue.consumed, queue.backlog]).toEqual([2, 2]);
  });

  it('gives up the rest, whose wait lasts until now', () => {
    const queue = new Queue(1);
    queue.add(5, 2);
    expect(queue.giveUp(12)).toBe(5);
    expect([queue.waits.worstSeconds, queue.waits.total, queue.backlog]).toEqual([10, 5, 0]);
  });

  it('takes each item once', () => {
    fc.assert(
      fc.property(arrivals, replicaRate, replicas, (items, rate, count) => {
        const queue = worked(items, rate, count);
        const sum = items.reduce((all, one) => all + one, 0);
        expect(queue.waits.total).toBeCloseTo(sum, 4);
        expect(queue.oldestSeconds(1e6)).toBe(0);
      }),
    );
  });

  it('never lets items wait longer for more replicas', () => {
    fc.assert(
      fc.property(arrivals, replicaRate, replicas, (items, rate, count) => {
        const [few, more] = [count, count + 1].map((each) => worked(items, rate, each).waits);
        for (const part of [0.1, 0.5, 0.9, 0.99, 1]) {
          expect(more?.quantileSeconds(part)).toBeLessThanOrEqual((few?.quantileSeconds(part) ?? 0) + 0.002);
        }
      }),
    );
  });

  it('has room for the largest count', () => {
    const queue = worked([Number.MAX_SAFE_INTEGER, 1, 3], 1e15, 3);
    expect([queue.backlog, queue.oldestSeconds(100)]).toEqual([0, 0]);
  });
});

describe('waits', () => {
  it('have quantiles as if every item were sorted', () => {
    const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 99 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(pieces, fc.constantFrom(0.25, 0.5, 0.9, 0.99), (given, part) => {
        const waits = new Waits();
        for (const [items, seconds] of given) waits.add(items, seconds, seconds);
        const sorted = given
          .flatMap(([items, seconds]) => new Array<number>(items).fill(seconds))
          .toSorted((a, b) => a - b);
        const expected = sorted[Math.ceil(sorted.length * part - 1e-9) - 1] ?? 0;
        expect(waits.quantileSeconds(part)).toBeCloseTo(expected, 2);
        const late = sorted.filter((seconds) => seconds > 50).length / sorted.length;
        expect(waits.partAbove(50)).toBeCloseTo(late, 9);
      }),
    );
  });
});
