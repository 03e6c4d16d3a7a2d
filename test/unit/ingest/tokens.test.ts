import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Tokens } from '../../../src/ingest/senders.ts';

const tokens = new Tokens([
  { name: 'a', token: 'one', connections: ['x', 'y'] },
  { name: 'b', token: 'two', connections: ['y'] },
  { name: 'c', token: 'two', connections: ['z'] },
]);
const of = (header: string | undefined) => {
  const bearer = tokens.bearer(header);
  return bearer === undefined ? undefined : [bearer.name, ...bearer.connections];
};

it('returns the name of a token, and its connections', () => {
  expect(of('Bearer one')).toEqual(['a', 'x', 'y']);
  expect(of('bearer   two ')).toEqual(['b', 'y', 'z']);
  expect(tokens.size).toBe(3);
});

it.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'one',
  'Basic one',
  'Bearerone',
  'Bearer one two',
  ' Bearer one',
  'Bearer One',
])('finds nothing for %j', (header) => {
  expect(of(header)).toBeUndefined();
});

it('finds nothing without tokens', () => {
  expect(new Tokens([]).bearer('Bearer one')).toBeUndefined();
});

it('knows exactly those that are listed', () => {
  const listed = fc.constantFrom('one', 'two', 'One', 'onetwo', 'on');
  fc.assert(
    fc.property(fc.oneof(fc.string(), listed), (text) => {
      expect(of(`Bearer ${text}`) !== undefined).toBe(/^ *(one|two) *$/.test(text));
    }),
  );
});
