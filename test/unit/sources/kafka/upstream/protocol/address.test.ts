import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  parseAddress,
} from '../../../../../../src/sources/kafka/upstream/protocol/address.ts';

describe('addresses', () => {
  it.each([
    ['b1:9092', { host: 'b1', port: 9092 }],
    ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
    ['[fe80::1%eth0]:65535', { host: 'fe80::1%eth0', port: 65_535 }],
  ])('%s there and back', (text, where) => {
    expect(parseAddress(text)).toEqual(where);
    expect(formatAddress(where)).toBe(text);
  });

  it.each(['', 'b1', 'b1:', ':9092', 'b1:0', 'b1:65536', '::1:9092', 'b1:9092/x', '[]:1'])(
    '%j is none',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );
});
