import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decoder } from '../../../../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { Encoder } from '../../../../../../src/sources/kafka/upstream/protocol/encoder.ts';

const hex = (write: (to: Encoder) => unknown): string => {
  const encoder = new Encoder();
  write(encoder);
  return encoder.finish().toString('hex');
};

describe('Encoder', () => {
  it('writes big-endian numbers', () => {
    expect(hex((to) => to.int8(-1).int16(-2).int32(-3).int64(-1).boolean(true))).toBe(
      'fffffefffffffdffffffffffffffff01',
    );
    expect(hex((to) => to.int64(2 ** 32 + 5))).toBe('0000000100000005');
    expect(hex((to) => to.int64(Number.MAX_SAFE_INTEGER))).toBe('001fffffffffffff');
  });

  it('writes texts and arrays, plain and compact', () => {
    expect(hex((to) => to.string('ab').compactString('ab'))).toBe('00026162036162');
    expect(hex((to) => to.array([1, 2], (each, value) => each.int8(value)))).toBe('000000020102');
    expect(hex((to) => to.compactArray(new Set([1, 2]), (each, value) => each.int8(value)))).toBe('030102');
    expect(hex((to) => to.nullArray().compactNullArray().noTags())).toBe('ffffffff0000');
  });

  it('grows as far as it must', () => {
    const encoder = new Encoder().string('x'.repeat(200)).string('y'.repeat(30_000)).int8(7);
    const from = new Decoder(encoder.finish());
    expect([from.string().length, from.string().length, from.int8(), from.remaining]).toEqual([
      200, 30_000, 7, 0,
    ]);
  });

  it('refuses a text that Kafka cannot carry as a fault of its author', () => {
    expect(() => new Encoder().string('x'.repeat(32_768))).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining('32768 bytes') }),
    );
  });

  it('writes bytes that the decoder can read', () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.string({ unit: 'binary' }),
        fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
        (long, varint, text, numbers) => {
          const encoder = new Encoder().int64(long).uvarint(varint).string(text).compactString(text);
          encoder.array(numbers, (each, value) => each.int32(value));
          encoder.compactArray(numbers, (each, value) => each.int32(value));
          const from = new Decoder(encoder.finish());
          const int32 = (each: Decoder) => each.int32();
          const plain = Buffer.from(text).toString();
          expect(from.int64()).toBe(long);
          expect(from.uvarint()).toBe(varint);
          expect([from.string(), from.compactString()]).toEqual([plain, plain]);
          expect(from.array(int32)).toEqual(numbers);
          expect(from.compactArray(int32)).toEqual(numbers);
        },
      ),
    );
  });
});
