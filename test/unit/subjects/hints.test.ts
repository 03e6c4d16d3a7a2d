import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { Metrics } from '../../../src/telemetry/metrics.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

const queues = Array.from({ length: 50 }, (_, i) => `q-${i}`);
let service: QueueService;
let live: LiveTriggers;
let metrics: Metrics;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  service = new QueueService();
  live = new LiveTriggers([connectionOf('queues', hintSource, service)]);
  ({ metrics } = live);
  for (const queue of queues) {
    service.queues.set(queue, { visible: 0, inFlight: 0 });
    follow(queue);
  }
  await vi.advanceTimersByTimeAsync(5_000);
  service.reads = [];
});

afterEach(async () => {
  await live.close();
  vi.useRealTimers();
});

function follow(queue: string, name = 'worker'): () => void {
  return live.follow(referenceOf({ source: 'hinted', queue }, name), () => {});
}

async function wakes(): Promise<number> {
  return (await metrics.wakes.get()).values[0]?.value ?? 0;
}

describe('a hint for a whole connection', () => {
  it('reads every subject within the second', async () => {
    expect(live.hint('queues', undefined, 'hint')).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(queues.map((queue) => service.readsOf(queue))).toEqual(queues.map(() => 1));
  });

  it('storm costs each subject a wake a second, not one for each hint', async () => {
    for (let i = 0; i < 3_000; i += 1) {
      live.hint('queues', undefined, 'hint');
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(await wakes()).toBeLessThanOrEqual(4 * queues.length);
    expect(service.readsOf('q-7')).toBeLessThanOrEqual(4);
  });

  it('is never lost: one that comes while another is spread causes a later read', async () => {
    live.hint('queues', undefined, 'hint');
    await vi.advanceTimersByTimeAsync(999);
    live.hint('queues', undefined, 'hint');
    service.reads = [];
    await vi.advanceTimersByTimeAsync(1_001);
    expect(queues.every((queue) => service.readsOf(queue) >= 1)).toBe(true);
    expect(await wakes()).toBe(2 * queues.length);
  });

  it('is not kept for subjects that come later, nor when the connection closes', async () => {
    const empty = new LiveTriggers([connectionOf('empty', hintSource, new QueueService())]);
    expect(empty.hint('empty', undefined, 'hint')).toBe(false);
    await empty.close();
    live.hint('queues', undefined, 'hint');
    live.hint('queues', undefined, 'hint');
    await live.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a hint by name', () => {
  it('reads that subject alone', async () => {
    expect(live.hint('queues', 'q-7', 'hint')).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(service.reads).toEqual([['q-7']]);
    expect(await wakes()).toBe(1);
  });

  it('finds a newer subject, and none that is gone', async () => {
    expect(live.hint('queues', 'late', 'hint')).toBe(false);
    const unfollow = follow('late');
    expect(live.hint('queues', 'late', 'hint')).toBe(true);
    unfollow();
    await vi.advanceTimersByTimeAsync(400_000);
    expect(live.hint('queues', 'late', 'hint')).toBe(false);
  });

  it('reads all subjects of that name: groups of one topic', async () => {
    const shared = { ...hintSource, kind: 'shared' };
    const twin = new LiveTriggers([
      connectionOf(
        'twin',
        {
          ...shared,
          connect: (config: QueueService, deps) => ({
            ...hintSource.connect(config, deps),
            subject: ({ queue }) => ({ key: queue, hintNames: ['topic', queue], need: undefined }),
          }),
        } satisfies typeof hintSource,
        service,
      ),
    ]);
    for (const queue of ['a', 'b']) {
      service.queues.set(queue, { visible: 0, inFlight: 0 });
      twin.follow(referenceOf({ source: 'shared', queue }), () => {});
    }
    await vi.advanceTimersByTimeAsync(5_000);
    service.reads = [];
    expect(twin.hint('twin', 'topic', 'hint')).toBe(true);
    expect(twin.hint('twin', 'b', 'hint')).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(service.reads).toEqual([['a', 'b']]);
    await twin.close();
  });
});

describe('a hint for a queue whose triggers are active', () => {
  beforeEach(async () => {
    service.queues.set('q-0', { visible: 3, inFlight: 0 });
    live.hint('queues', 'q-0', 'hint');
    await vi.advanceTimersByTimeAsync(1_500);
    service.reads = [];
  });

  it('causes no read: the clock brings the number, and no edge is possible', async () => {
    for (let i = 0; i < 100; i += 1) {
      expect(live.hint('queues', 'q-0', 'hint')).toBe(true);
      await vi.advanceTimersByTimeAsync(20);
    }
    // Every 2 s while it is active.
    expect(service.readsOf('q-0')).toBe(1);
  });

  it('causes a read while the queue cannot be read', async () => {
    service.faults.set('q-0', new ScalerError('unavailable', 'down'));
    await vi.advanceTimersByTimeAsync(2_000);
    service.faults.clear();
    service.reads = [];
    live.hint('queues', 'q-0', 'hint');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(service.readsOf('q-0')).toBe(1);
  });

  it('is not lost when they are no longer active', async () => {
    live.hint('queues', 'q-0', 'hint');
    service.queues.set('q-0', { visible: 0, inFlight: 0 });
    await vi.advanceTimersByTimeAsync(2_000);
    service.reads = [];
    live.hint('queues', 'q-0', 'hint');
    await vi.advanceTimersByTimeAsync(0);
    expect(service.readsOf('q-0')).toBe(1);
  });
});
