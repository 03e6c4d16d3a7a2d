import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../../src/errors.ts';
import { Decoder } from '../../../../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { bytes } from './hex.ts';

const decoder = (golden: string) => new Decoder(bytes(golden));

describe('Decoder', () => {
  it('reads big-endian numbers with their sign', () => {
    const from = decoder('ff 80 fffe fffffffd 7fffffff 01 00');
    expect([from.int8(), from.int8(), from.int16(), from.int32(), from.int32()]).toEqual([
      -1, -128, -2, -3, 2_147_483_647,
    ]);
    expect([from.boolean(), from.boolean(), from.remaining]).toEqual([true, false, 0]);
  });

  it.each([
    ['00 00 00 00 00 00 00 00', 0],
    ['ff ff ff ff ff ff ff ff', -1],
    ['00 00 00 01 00 00 00 00', 2 ** 32],
    ['00 00 00 00 ff ff ff ff', 2 ** 32 - 1],
    ['ff ff ff fe ff ff ff ff', -(2 ** 32) - 1],
    ['00 1f ff ff ff ff ff ff', Number.MAX_SAFE_INTEGER],
    ['ff e0 00 00 00 00 00 01', Number.MIN_SAFE_INTEGER],
  ])('reads the int64 %s', (golden, value) => {
    expect(decoder(golden).int64()).toBe(value);
  });

  it.each([
    ['00', 0],
    ['7f', 127],
    ['80 01', 128],
    ['ac 02', 300],
    ['ff ff ff ff 0f', 2 ** 32 - 1],
  ])('reads the varint %s', (golden, value) => {
    expect(decoder(golden).uvarint()).toBe(value);
  });

  it('reads texts, with and without null', () => {
    expect(decoder("0002 'ab'").string()).toBe('ab');
    expect(decoder("0003 'ü' 'x'").string()).toBe('üx');
    expect(decoder('ffff').nullableString()).toBeUndefined();
    expect(decoder("03 'ab'").compactString()).toBe('ab');
    expect(decoder('00').compactNullableString()).toBeUndefined();
  });

  it('reads arrays; null is an empty one', () => {
    const byte = (from: Decoder) => from.int8();
    expect(decoder('00000002 05 06').array(byte)).toEqual([5, 6]);
    expect(decoder('ffffffff').array(byte)).toEqual([]);
    expect(decoder('03 05 06').compactArray(byte)).toEqual([5, 6]);
    expect(decoder('00').compactArray(byte)).toEqual([]);
  });

  it('skips records, replicas and tagged fields', () => {
    const from = decoder("00000003 'abc' ffffffff 00000002 00000001 00000002 02 00 01 aa 05 02 bbbb 09");
    expect(from.skipBytes()).toBe(3);
    expect(from.skipBytes()).toBe(0);
    from.skipInt32Array();
    from.skipTags();
    expect(from.int8()).toBe(9);
  });

  it.each<[string, string, (from: Decoder) => unknown]>([
    ['a number cut off', '0000', (from) => from.int32()],
    ['an int64 beyond 2^53', '00 20 00 00 00 00 00 00', (from) => from.int64()],
    ['a text longer than the answer', "7fff 'a'", (from) => from.string()],
    ['a text of negative length', "fffe 'a'", (from) => from.nullableString()],
    ['null where a text belongs', 'ffff', (from) => from.string()],
    ['null where a compact text belongs', '00', (from) => from.compactString()],
    ['a varint that does not end', 'ff ff ff ff ff 01', (from) => from.uvarint()],
    ['an array of two thousand million', '7fffffff 00', (from) => from.array((each) => each.int8())],
    ['an array of -2', 'fffffffe', (from) => from.array((each) => each.int8())],
    ['records longer than the answer', '7fffffff 00', (from) => from.skipBytes()],
    ['replicas longer than the answer', '7fffffff 00', (from) => from.skipInt32Array()],
    ['a tag longer than the answer', '01 00 7f', (from) => from.skipTags()],
  ])('refuses %s', (_, golden, read) => {
    const refused = () => read(decoder(golden));
    expect(refused).toThrow(ScalerError);
    expect(refused).toThrow(/answer is malformed: .* at byte \d+ of \d+/);
  });
});
