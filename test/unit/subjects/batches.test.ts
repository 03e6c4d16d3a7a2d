import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { betweenReadsMs, mostPerRead } from '../../../src/subjects/connection.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

const count = 2 * mostPerRead + 500;
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
  await vi.advanceTimersByTimeAsync(2 * betweenReadsMs);
});

afterEach(async () => {
  await live.close();
  vi.useRealTimers();
});

it('thousands that are due go out in batches, one after the other, each subject once', async () => {
  expect(service.reads.map(({ length }) => length)).toEqual([mostPerRead, mostPerRead, 500]);
  expect(new Set(service.reads.flat()).size).toBe(count);
  expect(live.statuses().every(({ up }) => up)).toBe(true);
});

it('a wake goes before the rest of a batch', async () => {
  service.reads = [];
  // The first batch of the clock's is out, the others wait.
  vi.advanceTimersByTime(30_000 - 2 * betweenReadsMs);
  await Promise.resolve();
  await Promise.resolve();
  expect(service.reads.map(({ length }) => length)).toEqual([mostPerRead]);
  const last = service.reads[0]?.includes('q-0') ? `q-${count - 1}` : 'q-0';
  service.queues.set(last, { visible: 1, inFlight: 0 });
  live.hint('queues', last, 'hint');
  await Promise.resolve();
  await Promise.resolve();
  expect(service.reads[1]?.[0]).toBe(last);
});
