import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesPattern } from '../../../../../src/sources/kafka/read/topic-pattern.ts';

/** The definition, in exponential time. */
function matches(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  const rest = pattern.slice(1);
  if (pattern[0] === '*') return matches(rest, name) || (name !== '' && matches(pattern, name.slice(1)));
  return name !== '' && (pattern[0] === '?' || pattern[0] === name[0]) && matches(rest, name.slice(1));
}

const text = (letters: string) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 8 });

describe('a topic pattern', () => {
  it('matches by its definition', () => {
    fc.assert(
      fc.property(text('ab*?'), text('ab'), (pattern, name) => {
        expect(matchesPattern(pattern, name)).toBe(matches(pattern, name));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes signs of regular expressions as themselves', () => {
    expect(matchesPattern('a.b', 'axb')).toBe(false);
    expect(matchesPattern('(a|b)+', '(a|b)+')).toBe(true);
  });

  it('with many stars ends, on a name as long as Kafka has them', () => {
    expect(matchesPattern(`${'*a'.repeat(100)}b`, 'a'.repeat(249))).toBe(false);
  });
});
