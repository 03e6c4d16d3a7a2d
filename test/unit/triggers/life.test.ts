import { beforeEach, describe, expect, it, vi } from 'vitest';
import { attempt, ScalerError } from '../../../src/errors.ts';
import type { Source } from '../../../src/sources/source.ts';
import { mostFollowers } from '../../../src/triggers/followers.ts';
import { hintSource, QueueService } from '../../support/hint-source.ts';
import { askFor, useHintedTriggers } from '../../support/hinted-triggers.ts';
import { connectionOf, LiveTriggers, limits, referenceOf } from '../../support/live-triggers.ts';

const hinted = useHintedTriggers();
let service: QueueService;
let live: LiveTriggers;

beforeEach(() => {
  ({ service, live } = hinted());
});

const ask = () => askFor(live);

describe('leases', () => {
  const idle = () => [...live.statuses()].length;

  it('end by themselves without calls', async () => {
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

  it('grow with a gap longer than themselves', async () => {
    await ask();
    await vi.advanceTimersByTimeAsync(400_000);
    expect(idle()).toBe(0);
    await ask();
    await vi.advanceTimersByTimeAsync(400_000);
    expect(idle()).toBe(1);
  });

  it('end at most limits.maxLeaseSeconds after the last call, however rare the calls', async () => {
    await ask();
    await vi.advanceTimersByTimeAsync(3 * 86_400_000);
    await ask();
    await vi.advanceTimersByTimeAsync(limits.maxLeaseSeconds * 1000 - 1_000);
    expect(idle()).toBe(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(idle()).toBe(0);
  });

  it('hold while a stream is open', async () => {
    const end = live.follow(referenceOf({ source: 'hinted', queue: 'a' }), () => {});
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(idle()).toBe(1);
    end();
    end();
    await vi.advanceTimersByTimeAsync(310_000);
    expect(idle()).toBe(0);
  });
});

describe('limits', () => {
  it('of all triggers and of one namespace are RESOURCE_EXHAUSTED, until triggers go', async () => {
    const small = new LiveTriggers([connectionOf('queues', hintSource, service)], {
      limits: { triggers: 3, triggersPerNamespace: 2 },
    });
    const open = (name: string, namespace: string) =>
      small.answer(referenceOf({ source: 'hinted', queue: 'a' }, name, namespace));
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

describe('streams of one trigger', () => {
  it('are bounded, and one that ends makes room', () => {
    const trigger = live.trigger(referenceOf({ source: 'hinted', queue: 'a' }));
    for (const follow of [() => trigger.follow(() => {}), () => trigger.followSpec(() => {})]) {
      const open = Array.from({ length: mostFollowers }, follow);
      expect(follow).toThrow('hinted trigger of shop/worker: 100 streams of this kind are open already');
      expect(attempt(follow)).toMatchObject({ code: 'exhausted' });
      open.pop()?.();
      open.push(follow());
      for (const end of open) end();
    }
    expect(trigger.followed).toBe(false);
  });
});

describe('limits of bytes', () => {
  const long = 'q'.repeat(250);
  const reference = (name: string, namespace: string, more: Record<string, string> = {}) =>
    referenceOf({ source: 'hinted', queue: long, ...more }, name, namespace);

  it('for all triggers and for one namespace count what is kept, whoever the caller is', async () => {
    const small = new LiveTriggers([connectionOf('queues', hintSource, service)], {
      limits: { metadataBytes: 3_000, metadataBytesPerNamespace: 1_500 },
    });
    small.trigger(reference('one', 'shop'));
    small.trigger(reference('two', 'shop'));
    expect(() => small.trigger(reference('three', 'shop'))).toThrow(
      expect.objectContaining({
        code: 'exhausted',
        message: expect.stringMatching(/^limits\.metadataBytesPerNamespace: namespace shop has \d+ bytes/),
      }),
    );
    small.trigger(reference('one', 'bank'));
    small.trigger(reference('two', 'bank'));
    expect(() => small.trigger(reference('one', 'mill'))).toThrow(/^limits\.metadataBytes: /);
    await vi.advanceTimersByTimeAsync(310_000);
    small.trigger(reference('three', 'shop'));
    await small.close();
  });

  it('do not count keys without effect', async () => {
    const small = new LiveTriggers([connectionOf('queues', hintSource, service)], {
      limits: { metadataBytesPerNamespace: 10_000 },
    });
    for (let i = 0; i < 10; i += 1)
      small.trigger(reference(`w-${i}`, 'shop', { caCert: 'c'.repeat(50_000) }));
    await small.close();
  });
});

describe('a trigger without a subject', () => {
  it('says why, and is tried again after a source failed once to name its subject', async () => {
    let fails = true;
    const moody: typeof hintSource = {
      ...hintSource,
      connect: (config, deps) => {
        const connection = hintSource.connect(config, deps);
        return {
          ...connection,
          subject: (params) => {
            if (fails) throw new TypeError('a bug');
            return connection.subject(params);
          },
        };
      },
    };
    const own = new LiveTriggers([connectionOf('queues', moody, service)]);
    const reference = referenceOf({ source: 'hinted', queue: 'a' });
    await expect(own.answer(reference)).rejects.toMatchObject({ code: 'internal' });
    fails = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await own.answer(reference)).toMatchObject({ value: 3 });
    await own.close();
  });
});

describe('a trigger that asks for fresher readings than the others of its subject', () => {
  it('gets one at once if the known reading is too old for it', async () => {
    service.queues.set('a', { visible: 0, inFlight: 0 });
    await ask();
    await vi.advanceTimersByTimeAsync(25_000);
    const fresh = () => askFor(live, 'a', 'fresh', { maxStalenessSeconds: '10' });
    await fresh().catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await fresh()).toMatchObject({ value: 0 });
  });
});

describe('a reading is not confirmed by a read of the same subject that did not include it', () => {
  let down: boolean;
  let nameless: string;
  beforeEach(() => {
    down = false;
    nameless = '';
  });
  const shelves: Source<{ queue: string }, QueueService, Record<string, number>, undefined, string> = {
    ...(hintSource as unknown as Source<
      { queue: string },
      QueueService,
      Record<string, number>,
      undefined,
      string
    >),
    connect: ({ queues }) => ({
      subject({ queue }) {
        if (queue === nameless) throw new TypeError('a bug');
        return { key: 'all', hintNames: [], need: queue };
      },
      async read([all], deliver) {
        await service.hang;
        if (down) throw new ScalerError('unavailable', 'down');
        const counts = (all?.needs ?? []).map((queue) => [queue, queues.get(queue)?.visible ?? 0]);
        deliver('all', { snapshot: Object.fromEntries(counts) });
      },
      close: async () => {},
    }),
    evaluate({ queue }, { snapshot: { [queue]: items } }) {
      if (items === undefined)
        return { kind: 'unknown', error: new ScalerError('unavailable', 'not asked for') };
      return { kind: 'known', items, active: items > 0, detail: () => ({}) };
    },
    pace: () => ({ nextReadMs: 30_000, watch: false }),
  };
  const a = referenceOf({ source: 'hinted', queue: 'a' });
  const b = referenceOf({ source: 'hinted', queue: 'b' }, 'worker', 'bank');

  it('where its trigger had no subject meanwhile', async () => {
    const connections = (fingerprint: string) => [connectionOf('shelves', shelves, service, { fingerprint })];
    const own = new LiveTriggers(connections('one'));
    for (const reference of [a, b]) own.follow(reference);
    await vi.advanceTimersByTimeAsync(1_000);
    down = true;
    await vi.advanceTimersByTimeAsync(50_000);
    down = false;
    nameless = 'b';
    own.use(connections('two'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await own.answer(a)).toMatchObject({ value: 3 });
    down = true;
    nameless = '';
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await own.answer(b)).toMatchObject({ value: 0 });
    await vi.advanceTimersByTimeAsync(6_000);
    await expect(own.answer(b)).rejects.toThrow(/is 6\d s old/);
    expect(await own.answer(a)).toMatchObject({ value: 3 });
    await own.close();
  });

  it('where its trigger was refused meanwhile, and comes back to the same subject', async () => {
    const openTo = (...namespaces: string[]) => [connectionOf('shelves', shelves, service, { namespaces })];
    const own = new LiveTriggers(openTo('shop', 'bank'));
    const told: boolean[] = [];
    own.follow(a);
    own.follow(b, ({ active }) => told.push(active));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await own.answer(b)).toMatchObject({ value: 0 });
    own.use(openTo('shop'));
    service.queues.set('b', { visible: 5, inFlight: 0 });
    await vi.advanceTimersByTimeAsync(600_000);
    service.hang = new Promise(() => {});
    own.use(openTo('shop', 'bank'));
    await expect(own.answer(b)).rejects.toThrow(/is 60\d s old/);
    expect(told).toEqual([false]);
    await own.close();
  });
});

describe('one answer', () => {
  it('is what calls, new streams and the list of triggers give for a reading that is too old', async () => {
    await ask();
    const before: boolean[] = [];
    const reference = referenceOf({ source: 'hinted', queue: 'a' });
    live.follow(reference, ({ active }) => before.push(active));
    service.hang = new Promise(() => {});
    await vi.advanceTimersByTimeAsync(62_500);
    const after: { active: boolean; edge: boolean }[] = [];
    live.follow(reference, (activity) => after.push(activity));
    await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
    expect(live.statuses()[0]).toMatchObject({ up: false });
    expect(live.statuses()[0]).not.toHaveProperty('active');
    expect([before, after]).toEqual([[true], []]);
    service.hang = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await ask()).toMatchObject({ active: true });
    expect(after).toEqual([{ active: true, edge: false }]);
  });
});

describe('a changed configuration', () => {
  it('closes what is gone or changed, and moves its triggers, which keep serving what they know', async () => {
    await ask();
    const told: boolean[] = [];
    live.follow(referenceOf({ source: 'hinted', queue: 'a' }), ({ active }) => told.push(active));
    const next = new QueueService();
    next.queues.set('a', { visible: 0, inFlight: 0 });
    next.hang = Promise.resolve();
    live.use([connectionOf('queues', hintSource, next, { fingerprint: 'changed' })]);
    expect(await ask()).toMatchObject({ value: 3 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await ask()).toMatchObject({ value: 0, active: false });
    expect(told).toEqual([true, false]);
    expect([service.open, next.open]).toEqual([0, 1]);
  });

  it('that removes a connection leaves its triggers with an error that says so, and can bring them back', async () => {
    await ask();
    const trigger = live.trigger(referenceOf({ source: 'hinted', queue: 'a' }));
    live.use([]);
    expect(() => live.trigger(trigger.reference)).toThrow(/there is no connection of source hinted/);
    expect([...live.statuses()][0]?.error).toContain('there is no connection');
    live.use([connectionOf('queues', hintSource, service)]);
    await vi.advanceTimersByTimeAsync(100);
    expect([...live.statuses()][0]?.error).toBeUndefined();
    expect(await ask()).toMatchObject({ value: 3 });
  });

  it('that does not change a connection does not touch it', async () => {
    await ask();
    live.use([connectionOf('queues', hintSource, service)]);
    await ask();
    expect(service.readsOf('a')).toBe(1);
  });

  it('that admits another namespace opens nothing again, and one that excludes it denies it', async () => {
    await ask();
    const only = (namespaces: readonly string[]) =>
      live.use([connectionOf('queues', hintSource, service, { namespaces })]);
    only(['shop', 'bank']);
    expect([service.open, await ask()]).toMatchObject([1, { value: 3 }]);
    only(['bank']);
    expect(() => live.trigger(referenceOf({ source: 'hinted', queue: 'a' }))).toThrow(/namespace/);
    expect(live.statuses()[0]?.error).toContain('namespace');
    expect(service.open).toBe(1);
  });

  it('that shortens the staleness limit gets readings in time, but no earlier than a healthy source allows', async () => {
    service.queues.set('a', { visible: 0, inFlight: 0 });
    await ask();
    await vi.advanceTimersByTimeAsync(31_000);
    const reads = service.readsOf('a');
    // If read every 30 s, it would be unknown from the tenth second on.
    live.use([connectionOf('queues', hintSource, service)], { maxStalenessSeconds: 10 });
    for (let second = 0; second < 30; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(live.statuses()).toMatchObject([{ up: true }]);
    }
    expect(service.readsOf('a')).toBeLessThanOrEqual(reads + 7);
  });

  it('that cannot be opened changes nothing', async () => {
    await ask();
    const broken = {
      ...hintSource,
      connect: () => {
        throw new ScalerError('invalid', 'not a certificate');
      },
    };
    expect(() => live.use([connectionOf('queues', broken, service, { fingerprint: 'changed' })])).toThrow(
      'not a certificate',
    );
    expect(await ask()).toMatchObject({ value: 3 });
  });

  it('is applied as a whole even if a source fails to begin its first sync', async () => {
    const source: typeof hintSource = {
      ...hintSource,
      connect: (config, deps) => ({
        ...hintSource.connect(config, deps),
        firstSync: () => {
          throw new TypeError('a bug');
        },
      }),
    };
    live.use([connectionOf('queues', source, service, { fingerprint: 'changed' })]);
    expect(await ask()).toMatchObject({ value: 3 });
    expect(live.connections.syncing()).toEqual([]);
  });
});
