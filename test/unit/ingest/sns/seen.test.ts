import { expect, it } from 'vitest';
import { Seen } from '../../../../src/ingest/sns/seen.ts';

it('remembers what came last, and no more than it may', () => {
  const seen = new Seen();
  expect([seen.add('a'), seen.add('a'), seen.has('a')]).toEqual([true, false, true]);
  for (let i = 0; i < 9_999; i += 1) seen.add(`${i}`);
  expect(seen.has('a')).toBe(true);
  seen.add('one more');
  expect([seen.has('a'), seen.has('0'), seen.has('one more')]).toEqual([false, true, true]);
  seen.delete('0');
  expect(seen.add('0')).toBe(true);
});
