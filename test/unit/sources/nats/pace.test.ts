import { describe, expect, it } from 'vitest';
import { fold, type NatsHistory, pace } from '../../../../src/sources/nats/rules/pace.ts';
import { hasMoved, type NatsSnapshot, watchedSubjects } from '../../../../src/sources/nats/rules/snapshot.ts';
import type { WatchState } from '../../../../src/sources/source.ts';
import { snapshotOf } from './snapshots.ts';

const config = { activeReadMs: 1_000, reconcileSeconds: 30 };

/** The pace after these reads. */
function paceAfter(
  reads: readonly NatsSnapshot[],
  { active = false, watch = 'armed' }: { active?: boolean; watch?: WatchState } = {},
) {
  const history = reads.reduce<NatsHistory | undefined>((before, read) => fold(before, read), undefined);
  if (history === undefined) throw new Error('nothing was read');
  const times = { nowMs: 5, takenAtMs: 5, lastHintAtMs: undefined };
  return pace(config, { ...times, snapshot: history.last, history, active, watch });
}

describe('the next read', () => {
  it.each([
    ['is rare while the watch stands', {}, { nextReadMs: 30_000, watch: true }],
    ['is soon while it does not yet', { watch: 'arming' }, { nextReadMs: 1_000, watch: true }],
    ['is soon where it was refused', { watch: 'refused' }, { nextReadMs: 1_000, watch: true }],
    ['is soon while a trigger is active', { active: true }, { nextReadMs: 1_000, watch: false }],
  ] as const)('%s', (_, view, next) => {
    expect(paceAfter([snapshotOf()], view)).toEqual(next);
  });

  it('is soon if nothing can be heard', () => {
    expect(paceAfter([snapshotOf({}, { silent: 'it mirrors another stream' })])).toEqual({
      nextReadMs: 1_000,
      watch: false,
    });
  });

  it('of a consumer that keeps up with its messages is left to the clock, until they pause', () => {
    const steady = Array.from({ length: 12 }, (_, at) => snapshotOf({ deliveries: at }));
    expect(paceAfter(steady.slice(0, 11)).watch).toBe(true);
    expect(paceAfter(steady)).toEqual({ nextReadMs: 1_000, watch: false });
    expect(paceAfter([...steady, snapshotOf({ deliveries: 11 })]).watch).toBe(true);
  });

  it('of a consumer that was created again counts no messages as new', () => {
    const made = Array.from({ length: 20 }, (_, at) => snapshotOf({ deliveries: at, created: String(at) }));
    expect(paceAfter(made).watch).toBe(true);
  });
});

describe('watched are', () => {
  it.each([
    ['the filters of the consumer', { filters: ['orders.a', 'orders.b.*'] }, {}, ['orders.a', 'orders.b.*']],
    ['those of the stream, where it has none', {}, { subjects: ['orders.>', 'more'] }, ['orders.>', 'more']],
    ['none where the stream has none', {}, { subjects: [] }, 'the stream has no subjects'],
    ['none that all answers are on', {}, { subjects: ['>'] }, 'it takes the subjects of all'],
    ['none with a wildcard in front', { filters: ['*.a'] }, {}, 'it takes the subjects of all'],
    ['none of a stream that is filled otherwise', { filters: ['a'] }, { silent: 'because' }, 'because'],
    [
      'no more than a hundred',
      { filters: Array.from({ length: 101 }, String) },
      {},
      'it has more than 100 subjects',
    ],
  ])('%s', (_, consumer, stream, watched) => {
    expect(watchedSubjects(snapshotOf(consumer, stream))).toEqual(watched);
  });
});

it.each([
  ['nothing', {}, {}, false],
  ['a message', { pending: 1 }, {}, true],
  ['a delivery', { deliveries: 1, ackPending: 1 }, {}, true],
  ['a message that was worked off already', { deliveries: 1 }, {}, true],
  ['another consumer of its name', { created: 'later' }, {}, true],
  ['another stream of its name', {}, { created: 'later' }, true],
  ['another leader', { leader: 'n2' }, { leader: 'n2' }, false],
])('a snapshot has moved by %s', (_, consumer, stream, moved) => {
  expect(hasMoved(snapshotOf(), snapshotOf(consumer, stream))).toBe(moved);
});
