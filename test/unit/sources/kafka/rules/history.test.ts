import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../src/errors.ts';
import {
  beyondEnd,
  caution,
  fold,
  isQuiet,
  isUndecided,
  type KafkaHistory,
  quietAfterMs,
  stuckSinceMs,
} from '../../../../../src/sources/kafka/rules/history.ts';
import type { KafkaSnapshot } from '../../../../../src/sources/kafka/rules/snapshot.ts';
import { lags, type Offsets, snapshotOf, topicRead } from './offsets.ts';

type Topics = Readonly<Record<string, Offsets>>;

function foldAll(
  ...reads: readonly (readonly [atMs: number, snapshot: Topics | KafkaSnapshot])[]
): KafkaHistory {
  let history: KafkaHistory | undefined;
  for (const [atMs, read] of reads) history = fold(history, isSnapshot(read) ? read : snapshotOf(read), atMs);
  if (history === undefined) throw new Error('no reads');
  return history;
}

function isSnapshot(read: Topics | KafkaSnapshot): read is KafkaSnapshot {
  return read.topics instanceof Map;
}

const down = new ScalerError('unavailable', 'down');
const failed: KafkaSnapshot = { topics: new Map([['a', { kind: 'failed', error: down }]]) };
/** Partition 1 of `a` could not be read. Partition 0 is at end 1007, commit 1000. */
const faulty: KafkaSnapshot = {
  topics: new Map([
    [
      'a',
      {
        kind: 'partial',
        partitions: [{ partition: 0, logStart: 0, end: 1007, committed: 1000 }],
        faults: new Map([[1, down]]),
      },
    ],
  ]),
};

describe('quiet', () => {
  it.each<[string, KafkaHistory, number]>([
    ['a subject seen for the first time moved now', foldAll([100, { a: lags(0) }]), 100],
    ['an end that stands still', foldAll([100, { a: lags(0) }], [900, { a: lags(0) }]), 100],
    ['an end that moves', foldAll([100, { a: lags(0) }], [900, { a: lags(3) }]), 900],
    ['an end that moves back', foldAll([100, { a: lags(3) }], [900, { a: lags(0) }]), 900],
    ['a commit is not the end', foldAll([100, { a: [[0, 9, 1]] }], [900, { a: [[0, 9, 7]] }]), 100],
    ['the log start is not the end', foldAll([100, { a: [[0, 9, 1]] }], [900, { a: [[4, 9, 1]] }]), 100],
    ['one partition of many', foldAll([100, { a: lags(0, 0, 0) }], [900, { a: lags(0, 0, 1) }]), 900],
    ['a new partition', foldAll([100, { a: lags(0) }], [900, { a: lags(0, 0) }]), 900],
    ['a new topic', foldAll([100, { a: lags(0) }], [900, { a: lags(0), b: lags(0) }]), 900],
    ['a topic that went', foldAll([100, { a: lags(0), b: lags(0) }], [900, { a: lags(0) }]), 900],
    ['one topic in the place of another', foldAll([100, { a: lags(0) }], [900, { b: lags(0) }]), 900],
    ['a topic that fails', foldAll([100, { a: lags(0) }], [900, failed]), 900],
    ['a topic that fails on', foldAll([100, failed], [900, failed]), 100],
    ['a topic that is back', foldAll([100, { a: lags(0) }], [500, failed], [900, { a: lags(0) }]), 900],
    ['a partition that fails', foldAll([100, { a: lags(7, 0) }], [900, faulty]), 900],
  ])('%s', (_, { endMovedAtMs }, expected) => {
    expect(endMovedAtMs).toBe(expected);
  });

  it('begins 15 s after the end last moved', () => {
    const history = foldAll([1000, { a: lags(0) }]);
    expect(quietAfterMs).toBe(15_000);
    expect(isQuiet(history, 15_999)).toBe(false);
    expect(isQuiet(history, 16_000)).toBe(true);
  });
});

describe('since when a partition is stuck', () => {
  it.each<[string, KafkaHistory, number | undefined]>([
    ['no lag', foldAll([100, { a: lags(0) }]), undefined],
    ['lag at first sight', foldAll([100, { a: lags(7) }]), 100],
    ['lag that stays', foldAll([100, { a: lags(7) }], [900, { a: lags(7) }]), 100],
    ['lag that grows', foldAll([100, { a: lags(7) }], [900, { a: lags(99) }]), 100],
    ['a commit', foldAll([100, { a: [[0, 9, 1]] }], [900, { a: [[0, 9, 2]] }]), 900],
    ['a commit moved back', foldAll([100, { a: [[0, 9, 5]] }], [900, { a: [[0, 9, 2]] }]), 900],
    ['lag that begins long after the commit', foldAll([100, { a: lags(0) }], [900, { a: lags(1) }]), 900],
    ['lag that is worked off', foldAll([100, { a: [[0, 9, 1]] }], [900, { a: [[0, 9, 9]] }]), undefined],
    ['lag that retention deletes', foldAll([100, { a: [[0, 9, 1]] }], [900, { a: [[9, 9, 1]] }]), undefined],
    ['no commit', foldAll([100, { a: [[0, 9, null]] }]), undefined],
    ['a first commit', foldAll([100, { a: [[0, 9, null]] }], [900, { a: [[0, 9, 1]] }]), 900],
    ['a commit that expired', foldAll([100, { a: [[0, 9, 1]] }], [900, { a: [[0, 9, null]] }]), undefined],
    [
      'a read that failed in between',
      foldAll([100, { a: lags(7) }], [500, failed], [900, { a: lags(7) }]),
      100,
    ],
    ['a fault of another partition', foldAll([100, { a: lags(7, 0) }], [900, faulty]), 100],
  ])('%s', (_, history, expected) => {
    expect(stuckSinceMs(history, 'a', 0)).toBe(expected);
  });

  it('knows nothing about topics and partitions it never saw', () => {
    const history = foldAll([100, { a: lags(7) }]);
    expect(stuckSinceMs(history, 'a', 5)).toBeUndefined();
    expect(stuckSinceMs(history, 'b', 0)).toBeUndefined();
  });
});

describe('folding', () => {
  it('leaves the old history unchanged', () => {
    const before = foldAll([100, { a: lags(7, 0), b: lags(1) }]);
    const copy = structuredClone(before);
    fold(before, snapshotOf({ a: lags(0, 5), c: lags(3) }), 900);
    expect(before).toEqual(copy);
  });

  it('shares what did not move', () => {
    const before = foldAll([100, { a: lags(7), b: lags(1) }]);
    expect(fold(before, snapshotOf({ a: lags(7), b: lags(1) }), 900).topics).toBe(before.topics);
    const after = fold(before, snapshotOf({ a: lags(7), b: lags(2) }), 900);
    expect(after.topics.get('a')).toBe(before.topics.get('a'));
    expect(after.topics.get('b')).not.toBe(before.topics.get('b'));
  });

  it('forgets topics that are no longer wanted', () => {
    const history = foldAll([100, { a: lags(7), b: lags(1) }], [200, { b: lags(1) }], [300, { b: lags(1) }]);
    expect([...history.topics.keys()]).toEqual(['b']);
  });
});

describe('a commit beyond the end of the log', () => {
  const beyond: Topics = { a: [[0, 9, 100]] };

  it('is undecided once, and counts after the next read, even if nothing moves', () => {
    expect(isUndecided(foldAll([0, beyond]))).toBe(true);
    const again = foldAll([0, beyond], [1000, beyond]);
    expect(isUndecided(again)).toBe(false);
    expect([...beyondEnd(again, 'a')]).toEqual([[0, 'again']]);
    expect(foldAll([0, beyond], [1000, beyond], [2000, beyond]).topics).toEqual(again.topics);
  });

  it('does not count as one if consumers may have overtaken the read', () => {
    const overtaken = foldAll(
      [0, { a: [[0, 9, 9]] }],
      [1000, { a: [[0, 20, 22]] }],
      [2000, { a: [[0, 40, 41]] }],
    );
    expect(beyondEnd(overtaken, 'a').size).toBe(0);
  });

  it('ends when the end reaches it, or the group commits within the log', () => {
    for (const after of [{ a: [[0, 100, 100]] }, { a: [[0, 9, 9]] }, { a: [[0, 9, null]] }] as const) {
      const history = foldAll([0, beyond], [1000, beyond], [2000, after]);
      expect(beyondEnd(history, 'a').size).toBe(0);
      expect(caution(history)).toBeUndefined();
    }
  });

  it('is remembered through a failed read', () => {
    expect([...beyondEnd(foldAll([0, beyond], [1000, failed], [2000, beyond]), 'a')]).toEqual([[0, 'again']]);
  });

  it('is not caused by an open transaction', () => {
    const open: KafkaSnapshot = {
      topics: new Map([
        ['a', topicRead([{ partition: 0, logStart: 0, end: 5, committed: 8, highWatermark: 10 }])],
      ]),
    };
    expect(beyondEnd(foldAll([0, open], [1000, open]), 'a').size).toBe(0);
  });

  it('is reported, with a few of the partitions', () => {
    expect(caution(foldAll([0, beyond]))).toBeUndefined();
    const five: Topics = { a: [1, 2, 3, 4, 5].map(() => [0, 9, 100]) };
    expect(caution(foldAll([0, five], [1000, five]))).toMatch(
      /beyond the end .*\(a\/0, a\/1, a\/2 and 2 more\)$/,
    );
  });
});
