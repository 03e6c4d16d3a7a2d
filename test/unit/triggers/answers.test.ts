import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { hintSource, type QueueService } from '../../support/hint-source.ts';
import { askFor, useHintedTriggers } from '../../support/hinted-triggers.ts';
import { connectionOf, LiveTriggers, limits, referenceOf } from '../../support/live-triggers.ts';

const hinted = useHintedTriggers();
let service: QueueService;
let live: LiveTriggers;

beforeEach(() => {
  ({ service, live } = hinted());
});

const ask = (queue?: string, name?: string, more?: Record<string, string>) => askFor(live, queue, name, more);

describe('answers', () => {
  it('come from memory: the first reads, a thousand more do not', async () => {
    expect(await ask()).toMatchObject({ kind: 'known', value: 3, active: true });
    for (let i = 0; i < 1_000; i += 1) await ask('a', `worker-${i}`);
    expect(service.readsOf('a')).toBe(1);
  });

  it('for a cold trigger wait for one shared read', async () => {
    let release = () => {};
    service.hang = new Promise((resolve) => {
      release = resolve;
    });
    const answers = Promise.all([ask(), ask(), ask('a', 'other')]);
    await vi.advanceTimersByTimeAsync(500);
    release();
    expect((await answers).map((answer) => answer.kind)).toEqual(['known', 'known', 'known']);
    expect(service.readsOf('a')).toBe(1);
  });

  it('for a cold trigger wait coldReadTimeoutMs once, then fail at once until a reading comes', async () => {
    service.hang = new Promise(() => {});
    const first = expect(ask()).rejects.toThrow('hinted trigger of shop/worker: nothing has been read yet');
    await vi.advanceTimersByTimeAsync(limits.coldReadTimeoutMs);
    await first;
    const beforeMs = performance.now();
    await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now()).toBe(beforeMs);
  });

  it('stop waiting when the caller goes', async () => {
    service.hang = new Promise(() => {});
    const caller = new AbortController();
    const trigger = live.trigger(referenceOf({ source: 'hinted', queue: 'a' }));
    const answer = expect(trigger.answer(caller)).rejects.toMatchObject({
      code: 'unavailable',
    });
    caller.abort();
    await answer;
  });

  it('say why the source failed, and at once if the first read failed', async () => {
    await expect(ask('nowhere')).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('queue nowhere does not exist'),
    });
  });
});

describe('age', () => {
  const down = new ScalerError('unavailable', 'the service is down');

  it('lets the last good reading be used within maxStalenessSeconds, and then it is UNAVAILABLE, never zero', async () => {
    await ask();
    service.faults.set('a', down);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(await ask()).toMatchObject({ value: 3 });
    expect(live.statuses()).toMatchObject([{ ageMs: expect.closeTo(59_000, -4) }]);
    await vi.advanceTimersByTimeAsync(4_000);
    await expect(ask()).rejects.toThrow(
      /last good reading is 6\d s old.*maxStalenessSeconds \(60\).*service is down/,
    );
  });

  it('has the trigger’s own limit if set, and half of it bounds the schedule', async () => {
    service.queues.set('a', { visible: 0, inFlight: 0 });
    await ask('a', 'worker', { maxStalenessSeconds: '10' });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(service.readsOf('a')).toBeGreaterThanOrEqual(6);
    expect((await ask('a', 'worker', { maxStalenessSeconds: '10' })).kind).toBe('known');
  });

  it('recovers by itself, after reads that backed off', async () => {
    await ask();
    service.faults.set('a', down);
    await vi.advanceTimersByTimeAsync(300_000);
    const failed = service.readsOf('a');
    expect(failed).toBeLessThan(20);
    service.faults.clear();
    service.queues.set('a', { visible: 8, inFlight: 0 });
    await vi.advanceTimersByTimeAsync(36_000);
    expect(await ask()).toMatchObject({ value: 8 });
  });

  it('never forces a read before the time that the source requested', async () => {
    await ask();
    service.faults.set('a', new ScalerError('unavailable', 'slow down', { retryAfterMs: 45_000 }));
    await vi.advanceTimersByTimeAsync(3_000);
    const { length } = service.reads;
    await vi.advanceTimersByTimeAsync(42_000);
    expect(service.reads.length).toBe(length);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(service.reads.length).toBe(length + 1);
  });

  it('of one trigger does not touch another', async () => {
    service.queues.set('b', { visible: 1, inFlight: 0 });
    await Promise.all([ask('a'), ask('b', 'other')]);
    service.faults.set('a', down);
    await vi.advanceTimersByTimeAsync(120_000);
    await expect(ask('a')).rejects.toThrow('service is down');
    expect(await ask('b', 'other')).toMatchObject({ value: 1 });
  });
});

describe('reads', () => {
  it('that are due go out together', async () => {
    const queues = Array.from({ length: 50 }, (_, i) => `q${i}`);
    for (const queue of queues) service.queues.set(queue, { visible: 1, inFlight: 0 });
    await Promise.all(queues.map((queue) => ask(queue, queue)));
    await vi.advanceTimersByTimeAsync(3_000);
    service.reads = [];
    await vi.advanceTimersByTimeAsync(20_000);
    expect(service.reads).toHaveLength(10);
    expect(service.reads.every((keys) => keys.length === 50)).toBe(true);
  });

  it('that hang do not run twice, and end', async () => {
    await ask();
    service.hang = new Promise(() => {});
    await vi.advanceTimersByTimeAsync(2_500);
    const under = service.readsOf('a');
    live.hint('queues', 'a', 'hint');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(service.readsOf('a')).toBe(under);
    service.hang = undefined;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(service.readsOf('a')).toBeGreaterThan(under);
  });

  it('are spread over a second after a hint to a whole connection', async () => {
    for (const queue of ['a', 'b']) service.queues.set(queue, { visible: 0, inFlight: 0 });
    await Promise.all([ask('a'), ask('b', 'other')]);
    await vi.advanceTimersByTimeAsync(100);
    const before = service.reads.length;
    expect(live.hint('queues', undefined, 'hint')).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(service.reads.length).toBe(before);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(service.reads.length).toBeGreaterThan(before);
  });
});

describe('a rule that throws', () => {
  it('is a fault of its trigger alone, and does not stop the reads', async () => {
    const fragile: typeof hintSource = {
      ...hintSource,
      evaluate(params, view) {
        if (params.perReplica === 13) throw new TypeError('cannot divide by thirteen');
        return hintSource.evaluate(params, view);
      },
    };
    const own = new LiveTriggers([connectionOf('queues', fragile, service)]);
    const answer = (name: string, perReplica: string) =>
      own.answer(referenceOf({ source: 'hinted', queue: 'a', perReplica }, name));
    expect(await answer('sound', '5')).toMatchObject({ value: 3 });
    await expect(answer('broken', '13')).rejects.toMatchObject({ code: 'internal' });
    service.queues.set('a', { visible: 9, inFlight: 0 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await answer('sound', '5')).toMatchObject({ value: 9 });
    await own.close();
  });

  it('while describing a number removes only the description, and only from that trigger', async () => {
    const mute: typeof hintSource = {
      ...hintSource,
      evaluate: (params, view) => {
        const reading = hintSource.evaluate(params, view);
        const detail = () => {
          throw new TypeError('a bug');
        };
        return params.perReplica === 13 ? { ...reading, detail } : reading;
      },
    };
    const own = new LiveTriggers([connectionOf('queues', mute, service)]);
    for (const perReplica of ['13', '5'])
      await own.answer(referenceOf({ source: 'hinted', queue: 'a', perReplica }, perReplica));
    const [mutedOne, other] = own.statuses();
    expect(mutedOne).toMatchObject({ up: true, value: 3 });
    expect(mutedOne).not.toHaveProperty('detail');
    expect(other).toMatchObject({ up: true, value: 3, detail: { visible: 3 } });
    await own.close();
  });

  it('shows how old the oldest item is now, and nothing once the number is unknown', async () => {
    const sinceMs = performance.now() - 5_000;
    const timed: typeof hintSource = {
      ...hintSource,
      evaluate: (params, view) => {
        const reading = hintSource.evaluate(params, view);
        return reading.kind === 'known' ? { ...reading, oldest: { sinceMs, atLeast: true } } : reading;
      },
    };
    const own = new LiveTriggers([connectionOf('queues', timed, service)]);
    const reference = referenceOf({ source: 'hinted', queue: 'a' });
    const unfollow = own.trigger(reference).follow(() => {});
    await own.answer(reference);
    expect(own.statuses()[0]?.oldest).toEqual({ ageMs: 5_000, atLeast: true });
    service.faults.set('a', new ScalerError('unavailable', 'down'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(own.statuses()[0]?.oldest).toEqual({ ageMs: 15_000, atLeast: true });
    await vi.advanceTimersByTimeAsync(600_000);
    expect(own.statuses()[0]).toMatchObject({ up: false });
    expect(own.statuses()[0]).not.toHaveProperty('oldest');
    unfollow();
    await own.close();
  });

  it('that returns a bad number shows as down everywhere: calls fail, and the list says so', async () => {
    const odd: typeof hintSource = {
      ...hintSource,
      evaluate: () => ({ kind: 'known', items: Number.NaN, active: true, detail: () => ({}) }),
    };
    const own = new LiveTriggers([connectionOf('queues', odd, service)]);
    const reference = referenceOf({ source: 'hinted', queue: 'a' });
    await expect(own.answer(reference)).rejects.toMatchObject({ code: 'internal' });
    expect(own.statuses()[0]).toMatchObject({ up: false });
    expect(own.statuses()[0]).not.toHaveProperty('value');
    await own.close();
  });
});
