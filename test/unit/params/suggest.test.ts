import { describe, expect, it } from 'vitest';
import { unknownKeys } from '../../../src/params/parse.ts';
import { nearest } from '../../../src/params/suggest.ts';

/** Names that count how many of them were read. */
class CountedNames extends Set<string> {
  looked = 0;
  override *[Symbol.iterator](): SetIterator<string> {
    for (const name of super.values()) {
      this.looked += 1;
      yield name;
    }
    return undefined;
  }
}

describe('nearest', () => {
  const known = ['lagThreshold', 'activationLagThreshold', 'topic', 'connection'];
  it.each([
    ['lagTreshold', 'lagThreshold'],
    ['LAGTHRESHOLD', 'lagThreshold'],
    ['topics', 'topic'],
    ['conection', 'connection'],
    ['colour', undefined],
  ])('%s is %s', (name, expected) => {
    expect(nearest(name, known)).toBe(expected);
  });

  it('reads a bounded number of names', () => {
    const many = new CountedNames(Array.from({ length: 100_000 }, (_, i) => `connection-${i}`));
    expect(nearest('connection-x', many)).toMatch(/^connection-\d$/);
    expect(many.looked).toBeLessThanOrEqual(201);
  });

  it('compares the beginnings of long names', () => {
    const long = `topic-${'x'.repeat(60_000)}`;
    expect(nearest(long, [`${long}y`])).toBe(`${long}y`);
    expect(nearest(long, known)).toBeUndefined();
  });
});

describe('the faults of unknown keys', () => {
  it('are made for as many as are shown', () => {
    const known = new CountedNames(['topic', 'consumerGroup', 'lagThreshold']);
    const given = new Map(
      Array.from({ length: 10_000 }, (_, i): [string, { key: string; value: string }] => [
        `topic${i}`,
        { key: `topic${i}`, value: '1' },
      ]),
    );
    const { faults, more } = unknownKeys(given, known, 20);
    expect(faults).toHaveLength(20);
    expect(faults[0]).toBe('"topic0": unknown key (did you mean "topic"?)');
    expect(more).toBe(9_980);
    expect(known.looked).toBeLessThanOrEqual(20 * 3);
  });
});
