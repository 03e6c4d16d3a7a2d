import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { glob, matchesGlob } from '../../../src/params/glob.ts';

/** The definition, in exponential time. */
function matches(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const rest = pattern.slice(1);
  if (pattern[0] === '*') return matches(rest, text) || (text !== '' && matches(pattern, text.slice(1)));
  return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && matches(rest, text.slice(1));
}

const letters = (of: string, maxLength: number) => fc.string({ unit: fc.constantFrom(...of), maxLength });

/** A text that counts how often its characters are read. */
class CountedText extends String {
  looks = 0;
  override charCodeAt(index: number): number {
    this.looks += 1;
    return super.charCodeAt(index);
  }
}

describe('matchesGlob', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.bc', false],
    ['a.b', 'axb', false],
    ['(a|b)+', '(a|b)+', true],
    ['*', '', true],
    ['a*', 'a', true],
    ['a*a', 'a', false],
    ['a.*.c', 'a.b.b.c', true],
    ['*.started.*', 'dev.started.v1', true],
    ['*ab*ba*', 'xabay', false],
    ['team-?', 'team-a', true],
    ['team-?', 'team-', false],
    ['**?', 'é', true],
    ['', '', true],
    ['', 'a', false],
  ])('%j on %j: %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it('matches by its definition', () => {
    fc.assert(
      fc.property(letters('ab*?', 8), letters('ab', 10), (pattern, text) => {
        expect(matchesGlob(pattern, text)).toBe(matches(pattern, text));
      }),
      { numRuns: 2000 },
    );
  });

  it('matches long patterns, too, as a regular expression would', () => {
    fc.assert(
      fc.property(letters('aab?*', 120), letters('aab', 200), (pattern, text) => {
        const stars = pattern.replaceAll(/\*+/g, '*');
        fc.pre(stars.split('*').length <= 4);
        const expression = new RegExp(`^${stars.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesGlob(pattern, text)).toBe(expression.test(text));
      }),
    );
    expect(matchesGlob('a'.repeat(249), 'a'.repeat(249))).toBe(true);
    expect(matchesGlob(`${'a'.repeat(248)}b`, 'a'.repeat(249))).toBe(false);
  });

  it('looks at each character of the text once, whatever the pattern', () => {
    for (const pattern of ['*', `${'*a'.repeat(120)}b`, `${'a'.repeat(100)}*b`, `*${'?a'.repeat(60)}*b`]) {
      const text = new CountedText('a'.repeat(245));
      expect(glob(pattern)(text as unknown as string)).toBe(pattern === '*');
      expect(text.looks).toBeLessThanOrEqual(245);
    }
  });
});
