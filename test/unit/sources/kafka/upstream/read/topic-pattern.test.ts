import { describe, expect, it } from 'vitest';
import { TopicPatterns } from '../../../../../../src/sources/kafka/upstream/read/topology.ts';

describe('topic patterns', () => {
  it('are whole names with * and ?, without any regular expression', async () => {
    const names = ['a.b', 'a.bc', 'axb', 'orders-1', 'orders-12', '(a|b)+'];
    const patterns = new TopicPatterns();
    const matching = (pattern: string) => patterns.matching(pattern, names);
    expect(await matching('a.b')).toEqual(['a.b']);
    expect(await matching('(a|b)+')).toEqual(['(a|b)+']);
    expect(await matching('orders-?')).toEqual(['orders-1']);
    expect(await matching('orders-*')).toEqual(['orders-1', 'orders-12']);
    expect(await matching('orders')).toEqual([]);
  });

  it('look at a thousand names in a turn, and at each list once', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `t${i}`);
    const patterns = new TopicPatterns();
    let turns = 0;
    const count = (): void => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    const first = patterns.matching('t*9', names);
    expect(await first).toHaveLength(1000);
    clearImmediate(immediate);
    expect(turns).toBeGreaterThanOrEqual(9);
    expect(patterns.matching('t*9', names)).toBe(first);
  });
});
