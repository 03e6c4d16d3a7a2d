import { describe, expect, it } from 'vitest';
import { expandEnvironment, Faults, typedValue } from '../../../src/config/document.ts';

function expand(document: unknown, environment: Record<string, string> = {}) {
  const faults = new Faults();
  return { ...expandEnvironment(document, environment, faults), faults: faults.list };
}

describe('expandEnvironment', () => {
  it.each([
    ['${A}', 'one'],
    ['x-${A}-${B}-y', 'x-one-two-y'],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['$A and $', '$A and $'],
    ['${EMPTY}', ''],
    ['${INNER}', '${A}'],
  ])('%s becomes %s', (text, expected) => {
    const { value, faults } = expand({ key: [text] }, { A: 'one', B: 'two', EMPTY: '', INNER: '${A}' });
    expect(value).toEqual({ key: [expected] });
    expect(faults).toEqual([]);
  });

  it('cannot add structure: the value of a variable stays one text', () => {
    expect(expand({ a: '${A}' }, { A: 'x\nb: { c: 1 }' }).value).toEqual({ a: 'x\nb: { c: 1 }' });
  });

  it('names the key and the variable that is not set', () => {
    expect(expand({ a: { b: ['', '${NOPE}'] } }).faults.map(({ text }) => text)).toEqual([
      'a.b[1]: the environment variable NOPE is not set',
    ]);
  });

  it.each(['${', '${A', '${}', '${1A}', '${A-B}'])('refuses %s', (text) => {
    expect(expand({ a: text }, { A: 'x' }).faults).toHaveLength(1);
  });

  it('leaves keys, numbers and booleans alone', () => {
    const document = { '${A}': 1, b: true, c: null };
    expect(expand(document, { A: 'x' }).value).toEqual(document);
  });
});

it.each([
  ['8080', 8080],
  ['8080\n', 8080],
  ['true\r\n', true],
  ['-1.5', -1.5],
  ['true', true],
  ['false', false],
  ['0x10', undefined],
  ['yes', undefined],
  ['', undefined],
  [' 5', undefined],
  [5, undefined],
])('typedValue(%j) is %j', (text, expected) => {
  expect(typedValue(text)).toBe(expected);
});
