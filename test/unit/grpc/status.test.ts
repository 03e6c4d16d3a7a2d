import { status as Code } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { codeName, fitForHeader, toStatus } from '../../../src/grpc/status.ts';

describe('toStatus', () => {
  it.each([
    ['invalid', 'INVALID_ARGUMENT'],
    ['denied', 'PERMISSION_DENIED'],
    ['not_found', 'NOT_FOUND'],
    ['unavailable', 'UNAVAILABLE'],
    ['exhausted', 'RESOURCE_EXHAUSTED'],
  ] as const)('turns %s into %s with the message', (code, name) => {
    const status = toStatus(new ScalerError(code, 'kafka trigger of shop/orders: no such topic'));
    expect(codeName(status.code)).toBe(name);
    expect(status.details).toBe('kafka trigger of shop/orders: no such topic');
  });

  it.each([
    ['an internal error', new ScalerError('internal', 'password=hunter2')],
    ['an error of no known kind', new TypeError('password=hunter2')],
    ['a thrown text', 'password=hunter2'],
    ['nothing', undefined],
  ])('turns %s into INTERNAL and reveals nothing of it', (_, reason) => {
    expect(toStatus(reason)).toEqual({
      code: Code.INTERNAL,
      details: 'a fault of the scaler; its log says more',
    });
  });
});

describe('fitForHeader', () => {
  it('leaves a plain message alone', () => {
    expect(fitForHeader('lagThreshold: must be above 0, got "−1" (100 %)')).toBe(
      'lagThreshold: must be above 0, got "−1" (100 %)',
    );
  });

  it('makes one line of several and drops control characters', () => {
    expect(fitForHeader('two\r\nlines\u0000and\u001b[31mred\n')).toBe('two lines and [31mred');
  });

  it('cuts by the encoded length, not by the text’s', () => {
    expect(fitForHeader('a'.repeat(4096))).toBe('a'.repeat(4096));
    expect(fitForHeader('a'.repeat(4097))).toBe(`${'a'.repeat(4087)}…`);
    // One é takes six bytes on the wire.
    expect(fitForHeader('é'.repeat(1000))).toBe(`${'é'.repeat(681)}…`);
  });

  it('gives for any text one that grpc-js can encode, within the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
        const long = fitForHeader(text + text);
        expect(encodeURI(long).length).toBeLessThanOrEqual(4096);
        expect(long).not.toMatch(/\p{Cc}/u);
      }),
    );
    expect(encodeURI(fitForHeader('a lone \ud800 surrogate'))).toBe('a%20lone%20%EF%BF%BD%20surrogate');
  });
});
