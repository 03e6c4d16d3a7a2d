import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Slices } from '../../../src/subjects/slices.ts';

let nowMs = 0;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Steps that each take this long, and report when they are done. */
function* steps(count: number, stepMs: number, done: string[], name: string): Generator<void, void> {
  for (let i = 0; i < count; i += 1) {
    nowMs += stepMs;
    done.push(name);
    yield;
  }
}

describe('slices', () => {
  it('do small work at once', () => {
    const done: string[] = [];
    new Slices().run(steps(5, 0.0625, done, 'a'));
    expect(done).toHaveLength(5);
  });

  it('continue in the next turns of the event loop, none of which is long', async () => {
    const done: string[] = [];
    const slices = new Slices();
    for (let i = 0; i < 10; i += 1) slices.run(steps(1, 0.1875, done, 'a'));
    const turns = [done.length];
    while (done.length < 10) {
      const before = done.length;
      await nextTurn();
      turns.push(done.length - before);
    }
    expect(turns).toEqual([3, 3, 3, 1]);
  });

  it('do urgent work before the rest', async () => {
    const done: string[] = [];
    const slices = new Slices();
    slices.run(steps(6, 0.25, done, 'batch'));
    slices.run(steps(1, 0.25, done, 'wake'), true);
    expect(done).toEqual(['batch', 'batch', 'wake']);
    await nextTurn();
    expect(done).toEqual(['batch', 'batch', 'wake', 'batch', 'batch']);
    slices.close();
    await nextTurn();
    await nextTurn();
    expect(done).toHaveLength(5);
  });

  it('bound urgent work as well', async () => {
    const done: string[] = [];
    const slices = new Slices();
    slices.run(steps(20, 4, done, 'wakes'), true);
    const turns = [done.length];
    while (done.length < 20) {
      const before = done.length;
      await nextTurn();
      turns.push(done.length - before);
    }
    expect(turns).toEqual([6, 6, 6, 2]);
  });

  it('take steps that other steps add', () => {
    const done: string[] = [];
    const slices = new Slices();
    slices.run(
      (function* () {
        slices.run(steps(1, 0, done, 'inner'));
        done.push('outer');
        yield;
      })(),
    );
    expect(done).toEqual(['outer', 'inner']);
  });

  it('continue after one whose step throws', async () => {
    const done: string[] = [];
    const slices = new Slices();
    const broken = (function* (): Generator<void, void> {
      yield;
      throw new TypeError('a bug');
    })();
    expect(() => slices.run(broken)).toThrow('a bug');
    slices.run(steps(1, 0.25, done, 'next'));
    expect(done).toEqual(['next']);
    slices.run(steps(10, 0.25, done, 'later'));
    for (let turn = 0; turn < 6; turn += 1) await nextTurn();
    expect(done).toHaveLength(11);
  });
});
