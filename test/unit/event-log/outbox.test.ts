import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Outbox, type Outgoing } from '../../../src/event-log/nats/outbox.ts';
import { inbound } from '../../support/event-store.ts';

function outgoing(fact: number, bytes: number): Outgoing {
  return { event: inbound(fact), payload: Buffer.alloc(bytes), settle: () => {} };
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
  const outbox = new Outbox({ maxBuffered: 2, maxBufferedBytes: 100 });
  outbox.add(outgoing(1, 60));
  expect(() => outbox.add(outgoing(2, 60))).toThrow(/1 events \(60 bytes\) wait for NATS/);
  outbox.add(outgoing(2, 40));
  expect(() => outbox.add(outgoing(3, 0))).toThrow(/eventLog\.maxBuffered/);
  outbox.remove(new Set(outbox.group().slice(0, 1)));
  outbox.add(outgoing(3, 60));
  expect(outbox.counts()).toEqual({ ci: 2 });
});

it('events of a connection that are deferred come after all others, in their order', () => {
  const outbox = new Outbox({ maxBuffered: 10, maxBufferedBytes: 100 });
  for (const [fact, connection] of ['a', 'b', 'a', 'c'].entries())
    outbox.add({ event: inbound(fact, connection), payload: Buffer.alloc(1), settle: () => {} });
  outbox.defer(new Set(['a']));
  expect(outbox.group().map(({ event }) => event.fact)).toEqual([1, 3, 0, 2]);
});
