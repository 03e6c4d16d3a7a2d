import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxHistoryBytes, maxHistoryPoints, readHistory } from '../../../src/simulation/history.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 10, 23, 8) + second * 1000).toISOString();
const csv = (...rows: readonly string[]): string => `time,backlog,arrivals\n${rows.join('\n')}\n`;

function faultsOf(text: string): readonly string[] {
  const read = readHistory(text, 'h.csv');
  return 'faults' in read ? read.faults : [];
}

function pointsOf(text: string) {
  const read = readHistory(text, 'h.csv');
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.history.points;
}

describe('a history', () => {
  const expected = [
    { atMs: Date.parse(at(0)), backlog: 5, arrivals: undefined, desired: 1, active: true },
    { atMs: Date.parse(at(60)), backlog: undefined, arrivals: 2.5, desired: undefined, active: false },
  ];

  it.each<[string, string]>([
    [
      'as the recorder writes it',
      `time,backlog,arrivals,value,target,active,desired\n${at(0)},5,,5,10,true,1\n${at(60)},,2.5,,10,false,\n`,
    ],
    [
      'with columns in another order, and others',
      `x,desired,active,time,backlog,arrivals\n"a,""b""",1,true,${at(0)},5,\n,,false,${at(60)},,2.5\n`,
    ],
    [
      'with a byte order mark and lines of Windows',
      `\uFEFFtime,backlog,arrivals,active,desired\r\n${at(0)},5,,true,1\r\n${at(60)},,2.5,false,\r\n`,
    ],
    [
      'as JSON',
      JSON.stringify({
        id: 'a',
        events: [],
        points: [
          { time: at(0), backlog: 5, value: 5, target: 10, active: true, desired: 1 },
          { time: at(60), backlog: null, arrivals: 2.5, active: false },
        ],
      }),
    ],
  ])('is read %s', (_, text) => {
    expect(pointsOf(text)).toEqual(expected);
  });

  it.each<[string, string, RegExp]>([
    ['nothing', '', /h\.csv: must be CSV with a header that has time, and backlog or arrivals/],
    ['another CSV', 'a,b\n1,2\n', /must be CSV with a header/],
    ['two columns of a name', 'time,backlog,backlog\n', /has two columns backlog/],
    ['JSON of something else', '{"points": 1}', /has no list of points/],
    ['half of a JSON', '{"points": [', /is not JSON/],
    ['no row', csv(), /has no point; two are needed/],
    ['one row', csv(`${at(0)},1,`), /has one point; two are needed/],
    [
      'rows that are not sorted',
      csv(`${at(9)},1,`, `${at(0)},1,`),
      /h\.csv:3: time: is before that of the row before/,
    ],
    [
      'a time that is there twice',
      csv(`${at(0)},1,`, `${at(0)},2,`),
      /h\.csv:3: time: is that of the row before/,
    ],
    [
      'a time without zone',
      csv('2026-11-23T08:00:00,1,', `${at(1)},1,`),
      /h\.csv:2: time: must be ISO 8601 with its zone.*got "2026/,
    ],
    ['a time that is none', csv('2026-99-23T08:00:00Z,1,'), /time: must be ISO 8601/],
    [
      'a backlog that is no number',
      csv(`${at(0)},NaN,`),
      /h\.csv:2: backlog: must be a number of at least 0, or empty.*got "NaN"/,
    ],
    ['a negative one', csv(`${at(0)},-1,`), /backlog: must be a number of at least 0/],
    ['an endless one', csv(`${at(0)},1e999,`), /backlog: must be/],
    ['arrivals in hexadecimal', csv(`${at(0)},1,0x10`), /arrivals: must be/],
    [
      'an active that is neither',
      `time,backlog,active\n${at(0)},1,yes\n`,
      /active: must be true, false or empty/,
    ],
    ['nothing that is known', csv(`${at(0)},,`, `${at(1)},,`), /nothing can be played/],
    ['more than a week', csv(`${at(0)},1,`, `${at(8 * 86_400)},1,`), /covers 8 days, at most are 7/],
    [
      'a point of JSON that is none',
      JSON.stringify({ points: [1, { time: at(0), backlog: {} }] }),
      /points\[0\]: time: .*got nothing/,
    ],
    [
      'an object that no text can be made of',
      JSON.stringify({ points: [{ time: { toString: 1, valueOf: 1 }, backlog: { toString: 1 } }] }),
      /time: .*got an object\n.*backlog: .*got an object/,
    ],
    [
      'lists in lists in lists',
      `{"points":[{"time":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}`,
      /time: .*got a list/,
    ],
    ['a day that the month has not', csv('2026-02-29T08:00:00Z,1,'), /time: must be .*got "2026-02-29/],
    [
      'a quote that never ends',
      csv(`"${'a'.repeat(10_000_000)}`),
      /h\.csv: line 2 has more than 65536 characters/,
    ],
  ])('is refused for %s', (_, text, message) => {
    expect(faultsOf(text).join('\n')).toMatch(message);
  });

  it('has 29 February in leap years', () => {
    expect(pointsOf(csv('2028-02-29T23:00:00-05:00,1,', '2028-03-01T23:00:00-05:00,1,'))).toHaveLength(2);
  });

  it('ignores unknown columns', () => {
    const others = Array.from({ length: 9_000 }, (_, i) => `c${i}`);
    const rows = Array.from({ length: 20_000 }, (_, i) => `${at(i)},1`);
    expect(pointsOf(`time,backlog,${others.join(',')}\n${rows.join('\n')}\n`)).toHaveLength(20_000);
  });

  it('reports every fault, up to a bound', () => {
    expect(faultsOf(csv(`x,-1,-1`, `${at(0)},1,y`))).toHaveLength(4);
    const many = faultsOf(csv(...new Array<string>(500).fill('x,y,z')));
    expect(many.length).toBeLessThan(30);
  });

  it('is bounded in points and bytes', () => {
    const rows = new Array<string>(maxHistoryPoints + 1).fill('x,,');
    expect(faultsOf(csv(rows.join('\n')))).toEqual([expect.stringMatching(/at most are 200000/)]);
    expect(faultsOf(' '.repeat(maxHistoryBytes + 1))).toEqual([expect.stringMatching(/is larger than/)]);
  });

  it('shows no foreign control characters', () => {
    expect(faultsOf(csv('\u001b[31m\u202e,1,')).join('')).toContain(String.raw`\u001b[31m\u202e`);
  });

  it('throws for no text', () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom('"', '""', at(0), '1', ',', '\r\n', '{', '[]'));
    fc.assert(
      fc.property(fc.array(cell), (cells) => {
        for (const text of [cells.join(','), csv(cells.join(',')), `{"points":[${cells.join(',')}]}`]) {
          expect(readHistory(text, 'h')).toBeTypeOf('object');
        }
      }),
    );
  });
});
