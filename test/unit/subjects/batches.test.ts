import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { betweenPiecesMs, mostPerRead, pieceSize } from '../../../src/subjects/connection.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

const count = 2 * mostPerRead + 500;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
let service: QueueService;
let live: LiveTriggers;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  service = new QueueService();
  live = new LiveTriggers([connectionOf('queues', hintSource, service)], {
    limits: { triggersPerNamespace: 10_000 },
  });
  for (let i = 0; i < count; i += 1) {
    service.queues.set(`q-${i}`, { visible: 0, inFlight: 0 });
    live.follow(referenceOf({ source: 'hinted', queue: `q-${i}` }, `w-${i}`));
  }
  await nextTurn();
  await nextTurn();
  await nextTurn();
});

afterEach(async () => {
  await live.close();
  vi.useRealTimers();
});

it('thousands of new subjects go out in batches, one in a turn of the event loop, each subject once', async () => {
  expect(service.reads.map(({ length }) => length)).toEqual([mostPerRead, mostPerRead, 500]);
  expect(new Set(service.reads.flat()).size).toBe(count);
  expect(live.statuses().every(({ up }) => up)).toBe(true);
});

it('thousands of due subjects go out in pieces, with time in between', async () => {
  service.reads = [];
  await vi.advanceTimersByTimeAsync(30_000);
  expect(service.reads.map(({ length }) => length)).toEqual([pieceSize]);
  await vi.advanceTimersByTimeAsync(betweenPiecesMs);
  expect(service.reads.map(({ length }) => length)).toEqual([pieceSize, pieceSize]);
  await vi.advanceTimersByTimeAsync((count / pieceSize) * betweenPiecesMs);
  expect(service.reads.map(({ length }) => length)).toEqual(
    Array.from({ length: count / pieceSize }, () => pieceSize),
  );
  expect(service.reads.flat()).toHaveLength(count);
  expect(new Set(service.reads.flat()).size).toBe(count);
});

it('a wake goes before the rest of them', async () => {
  service.reads = [];
  vi.advanceTimersByTime(30_000);
  await Promise.resolve();
  await Promise.resolve();
  expect(service.reads.map(({ length }) => length)).toEqual([pieceSize]);
  const last = service.reads[0]?.includes('q-0') ? `q-${count - 1}` : 'q-0';
  service.queues.set(last, { visible: 1, inFlight: 0 });
  live.hint('queues', last, 'hint');
  await Promise.resolve();
  await Promise.resolve();
  expect(service.reads[1]?.[0]).toBe(last);
});
