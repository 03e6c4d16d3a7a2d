import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { Board } from '../../../src/monitor/board.ts';
import { boardOf, byName, connectionOf, limits, referenceOf } from '../../support/board.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';

let service: QueueService;
let board: Board;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  service = new QueueService();
  service.queues.set('a', { visible: 3, inFlight: 0 });
  board = boardOf([connectionOf('queues', hintSource, service)]).board;
});

afterEach(async () => {
  await board.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const never = () => new AbortController();

function ask(queue = 'a', name = 'worker', more: Record<string, string> = {}) {
  return board.answer(board.trigger(referenceOf({ source: 'hinted', queue, ...more }, name)), never());
}

describe('answers', () => {
  it('come from memory: the first reads, a thousand more do not', async () => {
    expect(await ask()).toMatchObject({ kind: 'known', value: 3, active: true });
    for (let i = 0; i < 1_000; i += 1) await ask('a', `worker-${i}`);
    expect(service.readsOf('a')).toBe(1);
  });

  it('of a cold trigger wait for one shared read', async () => {
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

  it('of a cold trigger wait coldReadTimeoutMs once, then fail at once until there is one', async () => {
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
    const trigger = board.trigger(referenceOf({ source: 'hinted', queue: 'a' }));
    const answer = expect(board.answer(trigger, caller)).rejects.toMatchObject({
      code: 'unavailable',
    });
    caller.abort();
    await answer;
  });

  it('say why the source failed, at once when the first read failed', async () => {
    await expect(ask('nowhere')).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('queue nowhere does not exist'),
    });
  });
});

describe('age', () => {
  const down = new ScalerError('unavailable', 'the service is down');

  it('holds the last good reading within maxStalenessSeconds, then it is UNAVAILABLE, never zero', async () => {
    await ask();
    service.faults.set('a', down);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(await ask()).toMatchObject({ value: 3, ageMs: expect.closeTo(59_000, -4) });
    await vi.advanceTimersByTimeAsync(4_000);
    await expect(ask()).rejects.toThrow(
      /last good reading is 6\d s old.*maxStalenessSeconds \(60\).*service is down/,
    );
  });

  it('is the trigger’s own limit where it has one, and half of it bounds the schedule', async () => {
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

  it('never undercuts what the source asked for', async () => {
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
  it('of all that are due go out together', async () => {
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
    board.hint('queues', 'a', 'hint');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(service.readsOf('a')).toBe(under);
    service.hang = undefined;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(service.readsOf('a')).toBeGreaterThan(under);
  });

  it('are spread over a second for a hint to a whole connection', async () => {
    for (const queue of ['a', 'b']) service.queues.set(queue, { visible: 0, inFlight: 0 });
    await Promise.all([ask('a'), ask('b', 'other')]);
    await vi.advanceTimersByTimeAsync(100);
    const before = service.reads.length;
    expect(board.hint('queues', undefined, 'hint')).toBe(true);
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
    const { board: own } = boardOf([connectionOf('queues', fragile, service)]);
    const answer = (name: string, perReplica: string) =>
      own.answer(own.trigger(referenceOf({ source: 'hinted', queue: 'a', perReplica }, name)), never());
    expect(await answer('sound', '5')).toMatchObject({ value: 3 });
    await expect(answer('broken', '13')).rejects.toMatchObject({ code: 'internal' });
    service.queues.set('a', { visible: 9, inFlight: 0 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await answer('sound', '5')).toMatchObject({ value: 9 });
    await own.close();
  });
});

describe('leases', () => {
  const idle = () => [...board.statuses()].length;

  it('end by themselves when nobody asks', async () => {
    await ask();
    expect(idle()).toBe(1);
    await vi.advanceTimersByTimeAsync(310_000);
    expect(idle()).toBe(0);
    const reads = service.reads.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.reads.length).toBe(reads);
  });

  it('last three times the caller’s own gap', async () => {
    for (let i = 0; i < 4; i += 1) {
      await ask();
      await vi.advanceTimersByTimeAsync(200_000);
    }
    await vi.advanceTimersByTimeAsync(380_000);
    expect(idle()).toBe(1);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(idle()).toBe(0);
  });

  it('learn a gap longer than themselves', async () => {
    await ask();
    await vi.advanceTimersByTimeAsync(400_000);
    expect(idle()).toBe(0);
    await ask();
    await vi.advanceTimersByTimeAsync(400_000);
    expect(idle()).toBe(1);
  });

  it('hold while a stream is open', async () => {
    const end = board.follow(board.trigger(referenceOf({ source: 'hinted', queue: 'a' })), () => {});
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(idle()).toBe(1);
    end();
    end();
    await vi.advanceTimersByTimeAsync(310_000);
    expect(idle()).toBe(0);
  });
});

describe('limits', () => {
  it('of all triggers and of one namespace are RESOURCE_EXHAUSTED, and free again when triggers go', async () => {
    const { board: small } = boardOf([connectionOf('queues', hintSource, service)], {
      triggers: 3,
      triggersPerNamespace: 2,
    });
    const open = (name: string, namespace: string) =>
      small.answer(small.trigger(referenceOf({ source: 'hinted', queue: 'a' }, name, namespace)), never());
    await open('one', 'shop');
    await open('two', 'shop');
    await expect(open('three', 'shop')).rejects.toMatchObject({
      code: 'exhausted',
      message: expect.stringContaining('limits.triggersPerNamespace'),
    });
    await open('one', 'bank');
    await expect(open('two', 'bank')).rejects.toThrow('limits.triggers: 3 triggers');
    await vi.advanceTimersByTimeAsync(310_000);
    await open('three', 'shop');
    await small.close();
  });
});

describe('a changed configuration', () => {
  it('closes what is gone or changed, moves its triggers, and they go on serving what they know', async () => {
    await ask();
    const told: boolean[] = [];
    board.follow(board.trigger(referenceOf({ source: 'hinted', queue: 'a' })), ({ active }) =>
      told.push(active),
    );
    const next = new QueueService();
    next.queues.set('a', { visible: 0, inFlight: 0 });
    next.hang = Promise.resolve();
    board.use(byName([connectionOf('queues', hintSource, next, { fingerprint: 'changed' })]), limits);
    expect(await ask()).toMatchObject({ value: 3 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await ask()).toMatchObject({ value: 0, active: false });
    expect(told).toEqual([true, false]);
    expect([service.open, next.open]).toEqual([0, 1]);
  });

  it('that takes a connection away leaves its triggers with an error that says so, and brings them back', async () => {
    await ask();
    const trigger = board.trigger(referenceOf({ source: 'hinted', queue: 'a' }));
    board.use(byName([]), limits);
    expect(() => board.trigger(trigger.reference)).toThrow(/there is no connection of source hinted/);
    expect([...board.statuses()][0]?.error).toContain('there is no connection');
    board.use(byName([connectionOf('queues', hintSource, service)]), limits);
    await vi.advanceTimersByTimeAsync(100);
    expect([...board.statuses()][0]?.error).toBeUndefined();
    expect(await ask()).toMatchObject({ value: 3 });
  });

  it('that leaves a connection as it was does not touch it', async () => {
    await ask();
    board.use(byName([connectionOf('queues', hintSource, service)]), limits);
    await ask();
    expect(service.readsOf('a')).toBe(1);
  });

  it('that cannot be opened changes nothing', async () => {
    await ask();
    const broken = {
      ...hintSource,
      connect: () => {
        throw new ScalerError('invalid', 'not a certificate');
      },
    };
    expect(() =>
      board.use(byName([connectionOf('queues', broken, service, { fingerprint: 'changed' })]), limits),
    ).toThrow('not a certificate');
    expect(await ask()).toMatchObject({ value: 3 });
  });
});
