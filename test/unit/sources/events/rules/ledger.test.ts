import { describe, expect, it } from 'vitest';
import type { ItemFact, ItemState } from '../../../../../src/sources/events/rules/fact.ts';
import { Ledger } from '../../../../../src/sources/events/rules/ledger.ts';

const ttlMs = 60_000;
const fact = (state: ItemState, more: Partial<ItemFact> = {}): ItemFact => ({
  backlog: 'builds',
  key: 'a',
  state,
  attempt: 0,
  ...more,
});

function ledgerOf(maxItems = 1000) {
  const ledger = new Ledger({ ttlMs, maxItems });
  const counts = () => Object.values(ledger.counts('builds'));
  const take = (state: ItemState, atMs = 0, more: Partial<ItemFact> = {}) => [
    ...ledger.take(fact(state, more), atMs),
  ];
  return { ledger, counts, take };
}

describe('Ledger', () => {
  it('counts what is queued and running, by backlog', () => {
    const { ledger, counts, take } = ledgerOf();
    take('queued');
    take('running', 0, { key: 'b' });
    take('queued', 0, { key: 'a', backlog: 'other' });
    expect(counts()).toEqual([1, 1]);
    expect(ledger.counts('other')).toEqual({ queued: 1, running: 0 });
    expect(ledger.counts('none')).toEqual({ queued: 0, running: 0 });
  });

  it.each<[string, readonly Parameters<ReturnType<typeof ledgerOf>['take']>[], number | undefined]>([
    ['none', [], undefined],
    ['one that is queued', [['queued', 5]], 5],
    [
      'told again',
      [
        ['queued', 5],
        ['queued', 9],
      ],
      5,
    ],
    [
      'the oldest of two',
      [
        ['queued', 5],
        ['queued', 9, { key: 'b' }],
      ],
      5,
    ],
    [
      'the oldest runs now',
      [
        ['queued', 5],
        ['queued', 9, { key: 'b' }],
        ['running', 10],
      ],
      9,
    ],
    [
      'the oldest is finished',
      [
        ['queued', 5],
        ['queued', 9, { key: 'b' }],
        ['finished', 10],
      ],
      9,
    ],
    [
      'told again after it ran',
      [
        ['queued', 5],
        ['running', 7],
        ['queued', 9],
      ],
      undefined,
    ],
    [
      'another attempt of one that is queued',
      [
        ['queued', 5],
        ['queued', 9, { attempt: 1 }],
      ],
      9,
    ],
    [
      'an earlier attempt',
      [
        ['queued', 5, { attempt: 1 }],
        ['queued', 9],
      ],
      5,
    ],
    [
      'of another backlog',
      [
        ['queued', 5, { backlog: 'other' }],
        ['queued', 9],
      ],
      9,
    ],
    [
      'the oldest has expired',
      [
        ['queued', 5],
        ['queued', ttlMs + 6, { key: 'b' }],
      ],
      ttlMs + 6,
    ],
    [
      'a clock that steps back',
      [
        ['queued', 9],
        ['queued', 5, { key: 'b' }],
        ['running', 9],
      ],
      9,
    ],
  ])('knows since when the oldest item has been queued: %s', (_, events, expected) => {
    const { ledger, take } = ledgerOf();
    for (const event of events) take(...event);
    expect(ledger.queuedSinceMs('builds')).toBe(expected);
  });

  it('reports which counts have changed', () => {
    const { take } = ledgerOf();
    expect(take('queued')).toEqual(['builds']);
    expect(take('queued')).toEqual([]);
    expect(take('running')).toEqual(['builds']);
    expect(take('queued')).toEqual([]);
    expect(take('finished')).toEqual(['builds']);
    expect(take('finished')).toEqual([]);
  });

  it('finished before queued is finished', () => {
    const { counts, take } = ledgerOf();
    expect([take('finished'), take('queued'), take('running')]).toEqual([[], [], []]);
    expect(counts()).toEqual([0, 0]);
  });

  it('lacks an item that had no room, for ttlSeconds', () => {
    const { ledger, take } = ledgerOf(1);
    take('queued', 0, { key: 'a', backlog: 'other' });
    expect(take('queued', 10)).toEqual(['builds']);
    expect(take('queued', 20)).toEqual([]);
    ledger.expire(20 + ttlMs);
    expect([ledger.lacks('builds'), ledger.lacks('other')]).toEqual([true, false]);
    ledger.expire(21 + ttlMs);
    expect(ledger.lacks('builds')).toBe(false);
  });

  it('a later attempt starts the item again, an earlier one is ignored', () => {
    const { counts, take } = ledgerOf();
    take('finished', 0, { attempt: 1 });
    take('running', 0, { attempt: 2 });
    expect(counts()).toEqual([0, 1]);
    take('finished', 0, { attempt: 1 });
    expect(counts()).toEqual([0, 1]);
    take('finished', 0, { attempt: 2 });
    expect(counts()).toEqual([0, 0]);
  });

  it('an item whose end never comes expires ttlSeconds after its last event', () => {
    const { ledger, counts, take } = ledgerOf();
    take('queued', 0);
    take('running', 30_000);
    expect([...ledger.expire(90_000)]).toEqual([]);
    expect(counts()).toEqual([0, 1]);
    expect([...ledger.expire(90_001)]).toEqual(['builds']);
    expect(counts()).toEqual([0, 0]);
  });

  it('notices an expired item at events of other items', () => {
    const { take, counts } = ledgerOf();
    take('queued', 0);
    expect(take('queued', 60_001, { key: 'b', backlog: 'other' })).toEqual(['builds', 'other']);
    expect(counts()).toEqual([0, 0]);
  });

  it('a finished item is finished for ttlSeconds, and then may be used again', () => {
    const { counts, take } = ledgerOf();
    take('finished', 0);
    take('queued', 60_000);
    expect(counts()).toEqual([0, 0]);
    take('queued', 120_001);
    expect(counts()).toEqual([1, 0]);
  });

  it('holds at most maxItems: finished ones go first, then new ones are refused', () => {
    const { ledger, counts, take } = ledgerOf(3);
    take('finished', 0, { key: 'f1' });
    take('finished', 1, { key: 'f2' });
    for (const key of ['a', 'b', 'c']) take('queued', 2, { key });
    expect([counts(), ledger.refusals]).toEqual([[3, 0], 0]);
    take('queued', 3, { key: 'd' });
    expect([counts(), ledger.refusals]).toEqual([[3, 0], 1]);
    take('running', 4, { key: 'a' });
    take('finished', 4, { key: 'b' });
    take('queued', 5, { key: 'd' });
    expect([counts(), ledger.refusals]).toEqual([[2, 1], 1]);
  });
});
