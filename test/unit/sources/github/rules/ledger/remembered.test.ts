import { describe, expect, it } from 'vitest';
import { Remembered } from '../../../../../../src/sources/github/rules/tombstones.ts';
import { hourMs, startMs } from './sightings.ts';

const ids = (remembered: Remembered<{ atMs: number }>) =>
  [1, 2, 3].filter((id) => remembered.get(id) !== undefined);

describe('Remembered', () => {
  it('takes what is set again for new', () => {
    const remembered = new Remembered<{ atMs: number }>(2);
    remembered.set(1, { atMs: startMs });
    remembered.set(2, { atMs: startMs });
    remembered.set(1, { atMs: startMs + 1 });
    remembered.set(3, { atMs: startMs + 2 });
    expect(ids(remembered)).toEqual([1, 3]);
  });

  it('forgets what is older than 72 hours, and only that', () => {
    const remembered = new Remembered<{ atMs: number }>(10);
    remembered.set(1, { atMs: startMs });
    remembered.set(2, { atMs: startMs + 1 });
    remembered.set(1, { atMs: startMs + 2 });
    remembered.forget(startMs + 72 * hourMs + 2);
    expect(ids(remembered)).toEqual([1]);
  });
});
