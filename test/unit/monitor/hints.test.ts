import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Board } from '../../../src/monitor/board.ts';
import type { Metrics } from '../../../src/telemetry/metrics.ts';
import { boardOf, connectionOf, referenceOf } from '../../support/board.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';

let service: QueueService;
let board: Board;
let metrics: Metrics;
let told: { active: boolean; edge: boolean }[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  service = new QueueService();
  service.queues.set('a', { visible: 0, inFlight: 0 });
  ({ board, metrics } = boardOf([connectionOf('queues', hintSource, service)]));
  told = [];
  board.follow(board.trigger(referenceOf({ source: 'hinted', queue: 'a' })), (activity) =>
    told.push(activity),
  );
  await vi.advanceTimersByTimeAsync(5_000);
  service.reads = [];
});

afterEach(async () => {
  await board.close();
  vi.useRealTimers();
});

describe('a hint', () => {
  it('reads at once, and the edge is told', async () => {
    service.queues.set('a', { visible: 1, inFlight: 0 });
    board.hint('queues', 'a', 'hint');
    await vi.advanceTimersByTimeAsync(0);
    expect(service.readsOf('a')).toBe(1);
    expect(told).toEqual([
      { active: false, edge: false },
      { active: true, edge: true },
    ]);
  });

  it('has a tail: the depth lags behind the event', async () => {
    const readAt: number[] = [];
    board.hint('queues', 'a', 'hint');
    for (let second = 0; second <= 60; second += 1) {
      await vi.advanceTimersByTimeAsync(second === 0 ? 0 : 1_000);
      if (service.reads.length > 0) readAt.push(second);
      service.reads = [];
    }
    expect(readAt).toEqual([0, 1, 3, 10, 30, 60]);
  });

  it('to a queue nobody watches is known as such', () => {
    expect(board.hint('queues', 'other', 'hint')).toBe(false);
    expect(board.hint('elsewhere', 'a', 'hint')).toBe(false);
  });

  it('storm is at most one read a second, and the last hint is never lost', async () => {
    for (let i = 0; i < 5_000; i += 1) {
      board.hint('queues', 'a', 'hint');
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(service.readsOf('a')).toBeLessThanOrEqual(7);
    service.queues.set('a', { visible: 9, inFlight: 0 });
    board.hint('queues', 'a', 'hint');
    await vi.advanceTimersByTimeAsync(1_001);
    expect(told.at(-1)).toEqual({ active: true, edge: true });
    expect((await metrics.wakes.get()).values[0]?.value).toBe(5_001);
  });

  it('that comes while a read is under way is read for again', async () => {
    let release = () => {};
    service.hang = new Promise((resolve) => {
      release = resolve;
    });
    board.hint('queues', 'a', 'hint');
    await vi.advanceTimersByTimeAsync(300);
    board.hint('queues', 'a', 'hint');
    service.hang = undefined;
    release();
    await vi.advanceTimersByTimeAsync(0);
    service.queues.set('a', { visible: 2, inFlight: 0 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(service.readsOf('a')).toBe(2);
    expect(told.at(-1)?.active).toBe(true);
  });
});

describe('hysteresis', () => {
  async function see(visible: number, inFlight: number): Promise<boolean | undefined> {
    service.queues.set('a', { visible, inFlight });
    board.hint('queues', 'a', 'hint');
    await vi.advanceTimersByTimeAsync(1_500);
    return told.at(-1)?.active;
  }

  it('is by the trigger’s own wasActive: in-flight keeps active, and never activates', async () => {
    expect(await see(0, 4)).toBe(false);
    expect(await see(1, 4)).toBe(true);
    expect(await see(0, 4)).toBe(true);
    expect(await see(0, 0)).toBe(false);
    expect(await see(0, 4)).toBe(false);
    expect((await metrics.edges.get()).values[0]?.value).toBe(1);
  });

  it('counts in-flight after a restart, when nothing was known before', async () => {
    service.queues.set('b', { visible: 0, inFlight: 4 });
    const trigger = board.trigger(referenceOf({ source: 'hinted', queue: 'b' }));
    const answer = await board.answer(trigger, new AbortController());
    expect(answer).toMatchObject({ active: true, value: 4 });
  });
});
