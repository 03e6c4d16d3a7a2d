import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ScalerError } from '../../../src/errors.ts';
import { flag, required, text } from '../../../src/params/schema.ts';
import type { Deliver, Source, Wake, Watch } from '../../../src/sources/source.ts';
import { about } from '../../support/about.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../support/live-triggers.ts';

/** What a read does with each of its subjects, unless it throws or hangs as a whole. */
const manners = [
  'deliver',
  'deliver twice',
  'deliver late',
  'deliver another',
  'deliver an error',
  'say nothing',
  'fail in fold',
  'fail in evaluate',
  'fail in pace',
  'unknown',
  'no number',
] as const;
type Manner = (typeof manners)[number];
const reads = ['resolve', 'throw', 'reject', 'hang'] as const;
const arms = ['arming', 'armed', 'refused', 'throw', 'wake at once', 'fail to close'] as const;

class World {
  manners: readonly Manner[] = ['deliver'];
  reads: readonly (typeof reads)[number][] = ['resolve'];
  arms: readonly (typeof arms)[number][] = ['armed'];
  readonly items = new Map<string, number>();
  readonly late: (() => void)[] = [];
  readonly wakes: Wake[] = [];
  wake: (key: string, cause: string) => void = () => {};
  same: (key: string, as: string) => boolean = () => false;
  private turn = 0;

  next<T>(of: readonly T[]): T {
    this.turn += 1;
    // biome-ignore lint/style/noNonNullAssertion: it is never empty
    return of[this.turn % of.length]!;
  }
}

interface Snapshot {
  readonly items: number;
  readonly manner: Manner;
}

const source: Source<{ name: string; most: boolean }, World, Snapshot, undefined> = {
  kind: 'chaos',
  about,
  params: {
    table: { name: required(text({ doc: 'The place.' })), most: flag({ doc: 'At most two replicas.' }) },
    rules: [],
  },
  config: z.custom<World>(),
  connectionKeys: {},
  place: () => ({ addresses: ['chaos'] }),
  minReadMs: () => 1_000,
  connect: (world, { wake, same }) => {
    const refOf = (name: string) => ({ key: name, hintNames: [name], need: undefined });
    world.wake = wake;
    world.same = (key, as) => same(key, refOf(as));
    const one = (key: string, deliver: Deliver<Snapshot>): void => {
      const manner = world.next(world.manners);
      const tell = () => deliver(key, { snapshot: { items: world.items.get(key) ?? 0, manner } });
      switch (manner) {
        case 'say nothing':
          return;
        case 'deliver late':
          world.late.push(tell);
          return;
        case 'deliver another':
          deliver(`${key}?`, { snapshot: { items: 7, manner } });
          return;
        case 'deliver an error':
          deliver(key, new ScalerError('unavailable', 'down', { retryAfterMs: 2_000 }));
          return;
        case 'deliver twice':
          tell();
          tell();
          return;
        default:
          tell();
      }
    };
    return {
      subject: ({ name }) => refOf(name),
      read(subjects, deliver) {
        const manner = world.next(world.reads);
        if (manner === 'throw') throw new Error('read throws');
        for (const { key } of subjects) one(key, deliver);
        if (manner === 'reject') return Promise.reject(new Error('read rejects'));
        return manner === 'hang' ? new Promise(() => {}) : Promise.resolve();
      },
      arm(_subject, _from, wake): Watch {
        const manner = world.next(world.arms);
        world.wakes.push(wake);
        if (manner === 'throw') throw new Error('arm throws');
        if (manner === 'wake at once') wake('append');
        const state = manner === 'arming' || manner === 'refused' ? manner : 'armed';
        const close = () => {
          if (manner === 'fail to close') throw new Error('close throws');
        };
        return { state, confirmedAtMs: undefined, close };
      },
      close: async () => {
        throw new Error('close fails');
      },
    };
  },
  fold(_, { manner }) {
    if (manner === 'fail in fold') throw new Error('fold throws');
    return undefined;
  },
  evaluate({ most }, { snapshot: { items, manner } }) {
    if (manner === 'fail in evaluate') throw new Error('evaluate throws');
    if (manner === 'unknown') return { kind: 'unknown', error: new ScalerError('unavailable', 'no idea') };
    return {
      kind: 'known',
      items: manner === 'no number' ? Number.NaN : items,
      active: items > 0,
      ...(most && { useful: { most: manner === 'no number' ? Number.NaN : 2 } }),
      flow: { arrived: manner === 'no number' ? Number.NEGATIVE_INFINITY : items },
      detail: () => ({}),
    };
  },
  pace(_, { snapshot: { manner }, active }) {
    if (manner === 'fail in pace') throw new Error('pace throws');
    return { nextReadMs: active ? 1_000 : 30_000, watch: !active };
  },
  target: ({ name }) => ({ perReplica: 10, activation: 0, nameParts: [name] }),
};

const names = ['a', 'b', 'c'] as const;
const some = <T>(of: readonly T[]) => fc.array(fc.constantFrom(...of), { minLength: 1, maxLength: 5 });

const act = fc.oneof(
  fc.record({ do: fc.constant('manners' as const), with: some(manners) }),
  fc.record({ do: fc.constant('reads' as const), with: some(reads) }),
  fc.record({ do: fc.constant('arms' as const), with: some(arms) }),
  fc.record({
    do: fc.constantFrom('wake' as const, 'hint' as const, 'put' as const, 'ask' as const, 'follow' as const),
    name: fc.constantFrom(...names, 'gone'),
    policy: fc.constantFrom('backlog', 'drain', 'most'),
  }),
  fc.record({
    do: fc.constant('same' as const),
    name: fc.constantFrom(...names),
    as: fc.constantFrom(...names),
  }),
  fc.record({
    do: fc.constantFrom(
      'late' as const,
      'watched' as const,
      'hint all' as const,
      'end' as const,
      'statuses' as const,
    ),
  }),
  fc.record({ do: fc.constant('reload' as const), what: fc.constantFrom('same', 'new', 'renamed', 'gone') }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 500, 5_000, 40_000, 400_000) }),
);

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'setImmediate',
      'clearImmediate',
      'performance',
    ],
  });
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(() => {
  process.off('unhandledRejection', note);
  vi.useRealTimers();
});

const policies: Record<string, Record<string, string>> = {
  backlog: {},
  drain: { policy: 'drain', drainSeconds: '30', replicaRate: '1' },
  most: { most: 'true', headroomReplicas: '1' },
};

describe('whatever a source does', () => {
  it('nothing is thrown, and once it is well again every trigger has the true number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const world = new World();
        const connection = (name = 'one', fingerprint = 'f') =>
          connectionOf(name, source, world, { fingerprint });
        const live = new LiveTriggers([connection()]);
        const follows: (() => void)[] = [];
        const reference = (name: string, policy: string) =>
          referenceOf({ source: 'chaos', name, ...policies[policy] }, `${name}-${policy}`);
        let fingerprint = 0;
        for (const one of acts) {
          switch (one.do) {
            case 'manners':
              world.manners = one.with;
              break;
            case 'reads':
              world.reads = one.with;
              break;
            case 'arms':
              world.arms = one.with;
              break;
            case 'wake':
              world.wake(one.name, 'append');
              break;
            case 'hint':
              live.hint('one', one.name, 'hint');
              break;
            case 'hint all':
              live.hint('one', undefined, 'hint');
              break;
            case 'put':
              world.items.set(one.name, (world.items.get(one.name) ?? 0) === 0 ? 25 : 0);
              break;
            case 'ask':
              void live.answer(reference(one.name, one.policy)).catch(() => {});
              break;
            case 'follow':
              try {
                const trigger = live.trigger(reference(one.name, one.policy));
                follows.push(
                  trigger.follow(() => {}),
                  trigger.followSpec(() => {}),
                );
              } catch (reason) {
                expect(reason).toBeInstanceOf(ScalerError);
              }
              break;
            case 'same':
              world.same(one.name, one.as);
              break;
            case 'late':
              for (const tell of world.late.splice(0)) tell();
              break;
            case 'watched':
              for (const wake of world.wakes.splice(0)) wake('append');
              break;
            case 'end':
              follows.pop()?.();
              break;
            case 'statuses':
              for (const status of live.statuses()) JSON.stringify(status);
              break;
            case 'reload':
              fingerprint += 1;
              live.use(
                one.what === 'gone'
                  ? []
                  : [
                      connection(
                        one.what === 'renamed' ? 'two' : 'one',
                        one.what === 'new' ? `${fingerprint}` : 'f',
                      ),
                    ],
              );
              break;
            case 'pass':
              await vi.advanceTimersByTimeAsync(one.ms);
              break;
          }
        }
        world.manners = ['deliver'];
        world.reads = ['resolve'];
        world.arms = ['armed'];
        live.use([connection()]);
        await vi.advanceTimersByTimeAsync(90_000);
        for (const [i, name] of names.entries()) world.items.set(name, 10 * (i + 1));
        for (const wake of world.wakes.splice(0)) wake('append');
        await vi.advanceTimersByTimeAsync(40_000);
        for (const status of live.statuses()) {
          expect(status).toMatchObject({ up: true });
          expect(status.error).toBeUndefined();
        }
        for (const [i, name] of names.entries()) {
          const answer = live.answer(reference(name, 'backlog'));
          await vi.advanceTimersByTimeAsync(2_000);
          expect(await answer).toMatchObject({ kind: 'known', value: 10 * (i + 1), active: true });
        }
        for (const end of follows) end();
        await live.close();
        await vi.advanceTimersByTimeAsync(30_000);
        expect(vi.getTimerCount()).toBe(0);
        expect(unhandled).toEqual([]);
      }),
    );
  });
});
