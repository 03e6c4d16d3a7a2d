import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { givenValues, parseParams } from '../../../src/params/parse.ts';
import { inRanges } from '../../../src/params/ranges.ts';
import { decimal, list, type Param, type ParamsSchema, ranges, text } from '../../../src/params/schema.ts';
import { printable, quote } from '../../../src/printable.ts';

function parse<T>(param: Param<T>, value: string): { value: T; faults: readonly string[] } {
  const schema: ParamsSchema<{ x: T }> = { table: { x: param }, rules: [] };
  const { params, faults } = parseParams(schema, givenValues({ x: value }));
  return { value: params.x, faults };
}

const doc = 'Something.';
const partitions = ranges({ doc, most: 2 ** 31 - 1 });

describe('ranges', () => {
  it.each([
    ['3', [{ from: 3, to: 3 }]],
    [
      '5,1-2, 3',
      [
        { from: 1, to: 3 },
        { from: 5, to: 5 },
      ],
    ],
    ['1-9,2-3,9-12', [{ from: 1, to: 12 }]],
    ['0-2147483647', [{ from: 0, to: 2 ** 31 - 1 }]],
    ['007', [{ from: 7, to: 7 }]],
    [`0-49999,${'0-49999,'.repeat(900)}`, [{ from: 0, to: 49_999 }]],
  ])('%.20s are in order, and none touches another', (given, expected) => {
    expect(parse(partitions, given)).toEqual({ value: expected, faults: [] });
  });

  it.each([
    ['9007199254740992', 'must be numbers of at most 2147483647, got "9007199254740992"'],
    ['0-2147483648', 'at most 2147483647'],
    ['9'.repeat(400), 'at most 2147483647'],
    ['5-1', 'such as "1,3-5"'],
    ['-1', 'such as "1,3-5"'],
    ['1.5', 'such as "1,3-5"'],
    ['1,'.repeat(1_001), 'has 1001 numbers and ranges; the limit is 1000'],
    ['0-49999,'.repeat(8_000), 'has 64000 characters; the limit is 22000'],
  ])('%.20s is refused', (given, fault) => {
    expect(parse(partitions, given).faults.join()).toContain(fault);
  });

  it('contain the same as a set', () => {
    const range = fc.tuple(fc.nat(40), fc.nat(5)).map(([from, more]) => ({ from, to: from + more }));
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 20 }), (given) => {
        const { value = [] } = parse(partitions, given.map(({ from, to }) => `${from}-${to}`).join());
        const members = new Set(
          given.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
        );
        for (let number = -1; number < 50; number += 1) {
          expect(inRanges(value, number)).toBe(members.has(number));
        }
        expect(value.every(({ from }, i) => from > (value[i - 1]?.to ?? -2) + 1)).toBe(true);
      }),
    );
  });
});

describe('a value beyond its maximum', () => {
  const names = list({ doc, most: { members: 3, memberCharacters: 5 } });
  it.each<[Param<unknown>, string, string]>([
    [text({ doc }), 'x'.repeat(256), 'x: has 256 characters; the limit is 255'],
    [text({ doc, most: 4 }), 'xxxxx', 'x: has 5 characters; the limit is 4'],
    [names, 'a,b,c,d', 'x: has 4 members; the limit is 3'],
    [names, 'a,abcdef', 'x: has members of more than 5 characters, got "abcdef"'],
    [names, 'a,'.repeat(20), 'x: has 40 characters; the limit is 21'],
    [decimal({ doc, fallback: 1, most: 5 }), '6', 'x: must be a number of at most 5, got "6"'],
    [decimal({ doc, fallback: 1 }), '1e300', 'x: must be a number of at most 9007199254740991, got "1e300"'],
    [decimal({ doc, fallback: 1 }), '0'.repeat(65), 'x: has 65 characters; the limit is 64'],
  ])('is refused: %#', (param, given, fault) => {
    expect(parse(param, given).faults).toEqual([fault]);
  });

  it('is not parsed if its text is too long', () => {
    let looked = 0;
    const param: Param<string> = {
      ...text({ doc, most: 10 }),
      parse: (value) => {
        looked += value.length;
        return value;
      },
    };
    parse(param, 'x'.repeat(60_000));
    expect(looked).toBe(0);
    parse(param, 'x'.repeat(10));
    expect(looked).toBe(10);
  });
});

describe('a foreign text', () => {
  it.each([
    ['orders', 'orders'],
    ['zażółć 日本 🙂', 'zażółć 日本 🙂'],
    ['a\u0000b\rc\u001b[31m', 'a\\u0000b\\u000dc\\u001b[31m'],
    ['\u0085\u009b', '\\u0085\\u009b'],
    ['\u202eevil\u2066', '\\u202eevil\\u2066'],
    ['a\u2028b\ud800', 'a\\u2028b\\ud800'],
    ['\u{e0041}', '\\udb40\\udc41'],
  ])('is printable: %j', (given, expected) => {
    expect(printable(given)).toBe(expected);
  });

  it('is quoted so that JSON reads it back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (given) => {
        fc.pre(given.length <= 64);
        expect(JSON.parse(quote(given))).toBe(given);
        expect(quote(given)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
    expect(quote('x'.repeat(1_000)).length).toBeLessThan(70);
  });
});
