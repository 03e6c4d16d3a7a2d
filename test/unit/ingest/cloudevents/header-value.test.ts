import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeaderValue } from '../../../../src/ingest/cloudevents/binary.ts';
import { binary, eventIn, faultOf, headerValue } from '../../../support/cloudevents.ts';

describe('the value of a ce- header', () => {
  it.each([
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['Euro%20%e2%82%ac%20%f0%9f%98%80', 'Euro € 😀'],
    ['%45uro', 'Euro'],
    ['"Euro %E2%82%AC"', 'Euro €'],
    ['"a \\"b\\" \\\\c"', 'a "b" \\c'],
    ['%22quoted%22', '"quoted"'],
    ['a "b" c', 'a "b" c'],
    ['"open', '"open'],
    // One round only.
    ['%2541', '%41'],
    // From senders that do not encode, like the SDK.
    ['100%', '100%'],
    ['50% off', '50% off'],
  ])('%s is %s', (value, text) => {
    expect(decodeHeaderValue(value)).toBe(text);
    expect(eventIn(binary({ 'ce-subject': value })).subject).toBe(text);
  });

  it.each(['%C0%A0', '%E2%82', '%ff', 'Gr\xfc\xdfe'])('%s is refused', (value) => {
    expect(decodeHeaderValue(value)).toBe(undefined);
    expect(faultOf(binary({ 'ce-subject': value }))).toBe('ce-subject is not percent-encoded UTF-8');
  });

  it('comes back from its encoding, whatever it is', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(fc.property(text, (value) => decodeHeaderValue(headerValue(value)) === value));
  });
});
