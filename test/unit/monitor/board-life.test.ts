import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import type { Board } from '../../../src/monitor/board.ts';
import { boardOf, byName, connectionOf, limits, referenceOf } from '../../support/board.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { askFor, useHintedBoard } from '../../support/hinted-board.ts';

const hinted = useHintedBoard();
let service: QueueService;
let board: Board;

beforeEach(() => {
  ({ service, board } = hinted());
});

const ask = () => askFor(board);

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
      small.answer(
        small.trigger(referenceOf({ source: 'hinted', queue: 'a' }, name, namespace)),
        new AbortController(),
      );
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

  it('that lets another namespace in opens nothing anew, and one that is shut out is denied', async () => {
    await ask();
    const only = (namespaces: readonly string[]) =>
      board.use(byName([connectionOf('queues', hintSource, service, { namespaces })]), limits);
    only(['shop', 'bank']);
    expect([service.open, await ask()]).toMatchObject([1, { value: 3 }]);
    only(['bank']);
    expect(() => board.trigger(referenceOf({ source: 'hinted', queue: 'a' }))).toThrow(/namespace/);
    expect([...board.statuses()][0]?.error).toContain('namespace');
    expect(service.open).toBe(1);
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
