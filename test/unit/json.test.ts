import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonCounter, JsonReader, readJsonText } from '../../src/json.ts';

const read = (text: string | Buffer, most?: number) => new JsonReader(most).read(Buffer.from(text));
const tooMuch = { fault: expect.stringContaining('nested more than 64 deep, or holds too many values') };

describe('JSON of a request', () => {
  it('is read as it is, with or without a byte order mark', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        // Longer integers stay text.
        fc.pre(!/\d{16}/.test(text));
        expect(read(text)).toEqual({ value: JSON.parse(text) });
        expect(read(`\ufeff${text}`)).toEqual({ value: JSON.parse(text) });
      }),
    );
  });

  it.each(['', '{', '[1,]', '"', '"\\', "{'a':1}", '[1}'])('is not %j', (text) => {
    expect(read(text)).toEqual({ fault: 'is not JSON' });
  });

  it('is not accepted if it is not UTF-8', () => {
    expect(read(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ fault: 'is not UTF-8' });
  });

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ])('is nested 64 deep at most, of %j', (open, close) => {
    const levels = (depth: number) => depth / (open.length === 6 ? 2 : 1);
    const nested = (depth: number) => open.repeat(levels(depth)) + 1 + close.repeat(levels(depth));
    expect(read(nested(64))).toEqual({ value: JSON.parse(nested(64)) });
    expect(read(nested(66))).toEqual(tooMuch);
    // Its beginning is enough to refuse it.
    expect(read(open.repeat(1_000_000))).toEqual(tooMuch);
  });

  it('keeps every digit of an integer that a number cannot hold, as text', () => {
    const ids =
      '{"id":9007199254740993,"near":[9007199254740992,-12345678901234567890],"seen":9007199254740991}';
    expect(read(ids)).toEqual({
      value: {
        id: '9007199254740993',
        near: ['9007199254740992', '-12345678901234567890'],
        seen: 9007199254740991,
      },
    });
    const others = '[1.2345678901234567,1e1000000000000000,12345678,12345678,"9007199254740993"]';
    expect(read(others)).toEqual({ value: JSON.parse(others) });
  });

  it('has a long number also where it comes in pieces', () => {
    const hasLong = (...pieces: string[]) => {
      const counter = new JsonCounter();
      for (const piece of pieces) counter.add(Buffer.from(piece));
      return counter.hasLongNumber;
    };
    expect(hasLong('[12345678', '90123456]')).toBe(true);
    expect(hasLong('[12345678,', '90123456]', '["12345678', '90123456"]')).toBe(false);
  });

  it('has no more values than allowed, of any kind', () => {
    for (const value of ['1', '""', '[]', '{}', '"a,[{\\",{["']) {
      const list = (count: number) => `[${Array(count).fill(value).join(',')}]`;
      expect(read(list(1000), 3000)).toHaveProperty('value');
      expect(read(list(3001), 3000)).toEqual(tooMuch);
    }
    expect(read(JSON.stringify(Array.from({ length: 100_000 }, () => [])))).toEqual(tooMuch);
  });

  it('is not counted by the content of its strings', () => {
    expect(read(JSON.stringify('[{,'.repeat(100_000)))).toHaveProperty('value');
    expect(read(JSON.stringify(`${'\\"'.repeat(1000)}[`))).toHaveProperty('value');
  });

  it('is bounded for all of a request together', () => {
    const reader = new JsonReader(10);
    expect(reader.read(Buffer.from('[1,2,3,4]'))).toHaveProperty('value');
    expect(reader.read(Buffer.from('[1,2,3,4]'))).toHaveProperty('value');
    expect(reader.read(Buffer.from('[1,2,3,4]'))).toEqual(tooMuch);
  });
});

describe('JSON of an answer', () => {
  const longs = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String);
  const space = fc.constantFrom('', ' ', '\n', '\ufeff');
  const text = fc.oneof(
    fc.json({ maxDepth: 5 }),
    fc.tuple(space, fc.constantFrom('', '[', '{"id":', '[1, '), longs, space).map((parts) => parts.join('')),
    fc
      .tuple(space, fc.constantFrom('[', '{"id":'), longs, fc.constantFrom(']', '}'))
      .map((parts) => parts.join('')),
    fc.string(),
  );

  it('is read as that of a request is', () => {
    fc.assert(
      fc.property(text, (text) => {
        expect(readJsonText(text, 1000)).toEqual(read(text, 1000));
      }),
    );
  });

  it.each([
    ['nested deeper than any answer', `${'['.repeat(10_001)}1`],
    ['of more values than allowed', `[${'1,'.repeat(100_000)}1]`],
  ])('is not read where it is %s', (_, text) => {
    expect(readJsonText(text, 100_000)).toEqual(tooMuch);
  });

  it('may be nested deeper where it is small', () => {
    const nested = `${'['.repeat(100)}1${']'.repeat(100)}`;
    expect(readJsonText(nested, 1000)).toEqual({ value: JSON.parse(nested) });
  });
});
