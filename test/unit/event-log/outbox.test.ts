import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Outbox, type Outgoing } from '../../../src/event-log/nats/outbox.ts';
import { inbound } from '../../support/event-store.ts';

function outgoing(fact: number, bytes: number, connection = 'ci'): Outgoing {
  return { event: inbound(fact, connection), payload: Buffer.alloc(bytes), settle: () => {} };
}

it('returns groups in the order of events, whatever was taken before, and counts the rest', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 300_000 }), { maxLength: 600 });
  fc.assert(
    fc.property(sizes, fc.infiniteStream(fc.boolean()), (bytes, taken) => {
      const outbox = new Outbox({ maxBuffered: 1_000, maxBufferedBytes: 1e9 });
      const all = bytes.map((size, fact) => outgoing(fact, size));
      for (const one of all) outbox.add(one);
      let left = all;
      for (let round = 0; outbox.size > 0; round += 1) {
        const group = outbox.group();
        expect(group).toEqual(left.slice(0, group.length));
        expect(group.length).toBeGreaterThan(0);
        const done = new Set(group.filter(() => round > 20 || taken.next().value === true));
        outbox.remove(done);
        left = left.filter((one) => !done.has(one));
        expect(outbox.size).toBe(left.length);
        expect(outbox.bytes).toBe(left.reduce((sum, { payload }) => sum + payload.length, 0));
      }
    }),
    { numRuns: 30 },
  );
});

it('a group is bounded by its number and its bytes, and has one at least', () => {
  const outbox = new Outbox({ maxBuffered: 10_000, maxBufferedBytes: 1e9 });
  for (let i = 0; i < 1_000; i += 1) outbox.add(outgoing(i, 10));
  expect(outbox.group()).toHaveLength(256);
  const large = new Outbox({ maxBuffered: 10_000, maxBufferedBytes: 1e9 });
  for (let i = 0; i < 3; i += 1) large.add(outgoing(i, 900_000));
  expect(large.group()).toHaveLength(1);
});

it('has room for so many and so many bytes', () => {
  const outbox = new Outbox({ maxBuffered: 4, maxBufferedBytes: 400 });
  outbox.add(outgoing(1, 200));
  expect(() => outbox.add(outgoing(2, 101))).toThrow(
    /1 events \(200 bytes\) wait for NATS, 1 of them of connection "ci"/,
  );
  outbox.add(outgoing(2, 100));
  expect(() => outbox.add(outgoing(3, 1))).toThrow(/eventLog\.maxBuffered/);
  outbox.remove(new Set(outbox.group().slice(0, 1)));
  outbox.add(outgoing(3, 200));
  expect(outbox.counts()).toEqual({ ci: 2 });
});

it('keeps the last quarter for connections that have less than a quarter', () => {
  const outbox = new Outbox({ maxBuffered: 100, maxBufferedBytes: 1e9 });
  for (let i = 0; i < 75; i += 1) outbox.add(outgoing(i, 1, i % 2 === 0 ? 'loud' : 'louder'));
  for (const loud of ['loud', 'louder'])
    expect(() => outbox.add(outgoing(1, 1, loud))).toThrow(/75 events .* no room for more/);
  for (let i = 0; i < 25; i += 1) outbox.add(outgoing(i, 1, 'quiet'));
  expect(() => outbox.add(outgoing(1, 1, 'another'))).toThrow(/100 events/);
  expect(outbox.counts()).toEqual({ loud: 38, louder: 37, quiet: 25 });
});

it('events of a connection that are deferred come after all others, in their order', () => {
  const outbox = new Outbox({ maxBuffered: 10, maxBufferedBytes: 100 });
  for (const [fact, connection] of ['a', 'b', 'a', 'c'].entries())
    outbox.add({ event: inbound(fact, connection), payload: Buffer.alloc(1), settle: () => {} });
  outbox.defer(new Set(['a']));
  expect(outbox.group().map(({ event }) => event.fact)).toEqual([1, 3, 0, 2]);
});
