import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../../src/errors.ts';
import { apiVersions } from '../../../../../../src/sources/kafka/upstream/protocol/api.ts';
import { Decoder } from '../../../../../../src/sources/kafka/upstream/protocol/decoder.ts';
import { goldens } from './goldens.ts';
import { answer, bytes, newestOf } from './hex.ts';

describe.each(goldens)('the answer to $name', ({ request, version = newestOf(request), body, expected }) => {
  it('is read to its last byte, with the errors of single partitions beside the rest', () => {
    const reader = new Decoder(bytes(body));
    expect(request.at(version).read(reader)).toEqual(expected);
    expect(reader.remaining).toBe(0);
  });

  it('is refused wherever it is cut off', () => {
    const whole = bytes(body);
    // An answer to ApiVersions may end before its throttle time, see below.
    const end = request.apiName === 'ApiVersions' ? whole.length - 4 : whole.length;
    for (let length = 0; length < end; length += 1) {
      expect(() => answer(request, whole.subarray(0, length), version)).toThrow(
        expect.objectContaining({ name: 'ScalerError', code: 'unavailable' }),
      );
    }
  });

  it('is read or refused, whatever the broker sends', () => {
    const whole = bytes(body);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = Buffer.from(whole);
        for (const [at, value] of changes) damaged.writeUInt8(value, at);
        try {
          answer(request, damaged, version);
        } catch (reason) {
          expect(reason).toBeInstanceOf(ScalerError);
        }
      }),
    );
  });
});

it('ApiVersions of a broker that knows only version 0 ends before the throttle time', () => {
  expect(answer(apiVersions(), bytes('0023 00000000'))).toEqual({
    throttleTimeMs: 0,
    errorCode: 35,
    versions: new Map(),
  });
});
