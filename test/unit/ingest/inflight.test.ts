import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressOf, InflightBytes } from '../../../src/ingest/inflight.ts';

const mebibyte = 1024 * 1024;

function socketOf(remoteAddress: string): Socket {
  return Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
}

/** The defaults: 64 MiB, bodies of 5 MiB, 1,024 connections. */
function bytes(all = 64 * mebibyte, body = 5 * mebibyte) {
  const inflight = new InflightBytes();
  inflight.use(all, body, 1024);
  const open = (address = '192.0.2.1', isShown = false) =>
    inflight.open({ socket: socketOf(address), isShown });
  return { inflight, open };
}

describe('the bytes of all requests', () => {
  it('of an unproven address are limited to one large body’s, and others have theirs', () => {
    const { open } = bytes();
    expect(open().grow(5 * mebibyte)).toBe(true);
    expect(open().grow(mebibyte)).toBe(false);
    expect(open('198.51.100.1').grow(5 * mebibyte)).toBe(true);
  });

  it('of all unproven senders leave half to the proven ones', () => {
    const { inflight, open } = bytes();
    let held = 0;
    for (let i = 0; i < 256; i += 1) if (open(`192.0.2.${i}`).grow(mebibyte)) held += 1;
    expect(held).toBeLessThan(18);
    for (let i = 0; i < 3; i += 1) expect(open('203.0.113.1', true).grow(5 * mebibyte)).toBe(true);
    expect(inflight.bytes).toBeLessThan(64 * mebibyte);
  });

  it('always have room for the first 32 KiB of every connection', () => {
    const { inflight, open } = bytes();
    while (open('192.0.2.1', true).grow(mebibyte));
    for (let i = 0; i < 1024 - 33; i += 1) expect(open(`192.0.2.${i % 256}`).grow(32 * 1024)).toBe(true);
    expect(inflight.bytes).toBeLessThanOrEqual(64 * mebibyte);
  });

  it('of one connection have them once, however many of its requests are under way', () => {
    const { inflight, open } = bytes();
    while (open('192.0.2.1', true).grow(mebibyte));
    const socket = socketOf('198.51.100.1');
    const [first, second] = [
      inflight.open({ socket, isShown: false }),
      inflight.open({ socket, isShown: false }),
    ];
    expect([first.grow(32 * 1024), second.grow(mebibyte)]).toEqual([true, false]);
    first.release();
    expect(inflight.open({ socket, isShown: false }).grow(32 * 1024)).toBe(true);
  });

  it('are given back, all of them', () => {
    const { inflight, open } = bytes();
    for (let round = 0; round < 100; round += 1) {
      const shares = [open(), open('198.51.100.1'), open('203.0.113.1', true)];
      for (const share of shares)
        for (const size of [1, 40_000, 4_000_000]) expect(share.grow(size)).toBe(true);
      for (const share of shares) share.release();
      expect(inflight.bytes).toBe(0);
    }
  });

  it.each([
    [1024, 1024],
    [5 * mebibyte, 5 * mebibyte],
    [6 * mebibyte, 5 * mebibyte],
    [64 * mebibyte, 64 * mebibyte],
  ])('within %i have room for a body of %i, if it is alone', (all, body) => {
    const { inflight, open } = bytes(all, body);
    const share = open();
    expect([share.fits(body), share.grow(body)]).toEqual([true, true]);
    expect(open('198.51.100.1', true).grow(all)).toBe(false);
    share.release();
    expect(inflight.bytes).toBe(0);
  });
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  [undefined, ''],
])('a sender at %s is distinguished by %s', (remote, address) => {
  expect(addressOf(remote)).toBe(address);
});
