import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../../src/decisions/sink.ts';

describe('a bounded queue', () => {
  it('drops the oldest', () => {
    const queue = new BoundedQueue<number>(3);
    expect([1, 2, 3, 4, 5].map((item) => queue.push(item))).toEqual([0, 0, 0, 1, 1]);
    expect(queue.size).toBe(3);
    expect(queue.take(2)).toEqual([3, 4]);
    expect(queue.push(6)).toBe(0);
    expect(queue.putBack([3, 4])).toBe(1);
    expect(queue.take(9)).toEqual([4, 5, 6]);
    expect(queue.take(1)).toEqual([]);
  });

  it('drops what a smaller bound cannot hold', () => {
    const queue = new BoundedQueue<number>(10);
    for (let i = 0; i < 10; i += 1) queue.push(i);
    expect(queue.bound(4)).toBe(6);
    expect(queue.take(9)).toEqual([6, 7, 8, 9]);
  });

  it('behaves like a plain list, over any steps', () => {
    const step = fc.oneof(fc.constant('push' as const), fc.nat(5), fc.constant('back' as const));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 200 }), (max, steps) => {
        const queue = new BoundedQueue<number>(max);
        let model: number[] = [];
        let taken: number[] = [];
        steps.forEach((one, i) => {
          if (one === 'push') {
            queue.push(i);
            model = [...model, i].slice(-max);
          } else if (one === 'back') {
            queue.putBack(taken);
            model = [...taken, ...model].slice(-max);
            taken = [];
          } else {
            taken = queue.take(one);
            expect(taken).toEqual(model.slice(0, one));
            model = model.slice(one);
          }
          expect(queue.size).toBe(model.length);
        });
      }),
    );
  });
});
