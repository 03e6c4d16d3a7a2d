import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../src/errors.ts';
import { toMetric } from '../../../../../src/scaling/metric.ts';
import type { KafkaParams } from '../../../../../src/sources/kafka/params.ts';
import { backlog, target } from '../../../../../src/sources/kafka/rules/backlog.ts';
import { fold, type KafkaHistory } from '../../../../../src/sources/kafka/rules/history.ts';
import type { KafkaSnapshot, TopicOffsets } from '../../../../../src/sources/kafka/rules/snapshot.ts';
import { type Row, table } from './backlog.table.ts';
import { lags, type Offsets, paramsOf, snapshotOf, topicOf } from './offsets.ts';

const nowMs = 10_000_000;

function topicsOf(offsets: Row['now']): Readonly<Record<string, Offsets>> {
  return isList(offsets) ? { orders: offsets } : offsets;
}

function isList(offsets: Row['now']): offsets is Offsets {
  return Array.isArray(offsets);
}

function readAt(snapshot: KafkaSnapshot, params: Partial<KafkaParams> = {}, history?: KafkaHistory) {
  return backlog(paramsOf(params), snapshot, fold(history, snapshot, nowMs), nowMs);
}

function failure(snapshot: KafkaSnapshot, params: Partial<KafkaParams> = {}): ScalerError {
  const reading = readAt(snapshot, params);
  if (reading.kind !== 'unknown') throw new Error(`expected unknown, got ${JSON.stringify(reading)}`);
  return reading.error;
}

describe('the correctness proof: every row is a rule', () => {
  it('has at least 60 rows, and no name twice', () => {
    expect(table.length).toBeGreaterThanOrEqual(60);
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
  });

  it.each(table)('$name', ({ now, params, seen = [], value, active }) => {
    let history: KafkaHistory | undefined;
    for (const { secondsAgo, offsets } of seen) {
      history = fold(history, snapshotOf({ orders: offsets }), nowMs - secondsAgo * 1000);
    }
    const reading = readAt(snapshotOf(topicsOf(now)), params, history);
    if (reading.kind !== 'known') throw new Error(`expected a number, got ${reading.kind}`);
    expect(toMetric(reading, paramsOf(params).lagThreshold)).toEqual({ value, active });
  });
});

describe('what cannot be read is unknown, never zero', () => {
  const down = new ScalerError('unavailable', 'the leader does not answer');
  const gone = new ScalerError('not_found', 'does not exist');
  const failed = (error: ScalerError): TopicOffsets => ({ kind: 'failed', error });
  const faulty = (...partitions: number[]): TopicOffsets => ({
    kind: 'partial',
    partitions: [{ partition: 0, logStart: 0, end: 5, committed: 0 }],
    faults: new Map(partitions.map((partition) => [partition, down])),
  });

  it('a topic that failed, with its code', () => {
    const error = failure({ topics: new Map([['orders', failed(gone)]]) });
    expect(error.code).toBe('not_found');
    expect(error.message).toBe('topic "orders": does not exist');
  });

  it('one bad topic of several', () => {
    const topics = new Map([
      ['a', topicOf(lags(5))],
      ['b', failed(gone)],
    ]);
    expect(failure({ topics }, { topic: ['a', 'b'] }).message).toBe('topic "b": does not exist');
  });

  it('one bad partition', () => {
    const error = failure({ topics: new Map([['orders', faulty(3)]]) });
    expect(error).toMatchObject({
      code: 'unavailable',
      message: 'topic "orders" partition 3: the leader does not answer',
    });
  });

  it('names the first fault and counts the others', () => {
    const topics = new Map([
      ['a', faulty(1, 2, 3)],
      ['b', failed(gone)],
    ]);
    expect(failure({ topics }, { topic: [] }).message).toBe(
      'topic "a" partition 1 (and 3 more): the leader does not answer',
    );
  });

  it('keeps how long the source asked us to stay away', () => {
    const throttled = new ScalerError('unavailable', 'throttled', { retryAfterMs: 700 });
    expect(failure({ topics: new Map([['orders', failed(throttled)]]) }).retryAfterMs).toBe(700);
  });

  it('a fault of a partition outside the trigger does not matter', () => {
    const topics = new Map([['orders', faulty(3)]]);
    expect(readAt({ topics }, { partitionLimitation: [{ from: 0, to: 0 }] })).toMatchObject({
      kind: 'known',
      items: 5,
    });
    expect(
      failure(
        { topics },
        {
          partitionLimitation: [
            { from: 0, to: 0 },
            { from: 3, to: 3 },
          ],
        },
      ).message,
    ).toContain('partition 3');
  });

  it('an unread topic', () => {
    expect(failure(snapshotOf({})).message).toBe(
      'topic "orders": has not been read yet; the next read asks for it',
    );
  });

  it('a pattern that matches nothing', () => {
    expect(failure(snapshotOf({}), { topic: [], topicPattern: 'x-*' })).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /^topicPattern "x-\*" matches no topic that the connection's user may see: .*DESCRIBE/,
      ),
    });
  });

  it('a group without a visible commit, if no topic is named', () => {
    expect(failure(snapshotOf({}), { topic: [] })).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /^group "workers" has no committed offset that the connection's user may see: .*topic/,
      ),
    });
  });

  it('a commit beyond the end of the log that no earlier read explains', () => {
    const message =
      'topic "orders" partition 1: the group\'s commit lies beyond the end of the log; the next read tells whether it stays so';
    const now = snapshotOf({
      orders: [
        [0, 9, 9],
        [0, 23, 100],
      ],
    });
    expect(failure(now)).toMatchObject({ code: 'unavailable', message });
    // The topic was created again since the last read.
    const before = fold(
      undefined,
      snapshotOf({
        orders: [
          [0, 9, 9],
          [0, 100, 100],
        ],
      }),
      nowMs - 1000,
    );
    const reading = readAt(now, {}, before);
    expect(reading.kind === 'unknown' && reading.error.message).toBe(message);
    expect(readAt(now, { partitionLimitation: [{ from: 0, to: 0 }] })).toMatchObject({
      kind: 'known',
      items: 0,
    });
  });

  it.each([
    [{}, 'topic "orders"'],
    [{ topic: [], topicPattern: 'ord*' }, 'topics matching "ord*"'],
  ])('a partitionLimitation that leaves no partition: %o', (params, where) => {
    const error = failure(snapshotOf({ orders: lags(1, 2) }), {
      ...params,
      partitionLimitation: [{ from: 7, to: 7 }],
    });
    expect(error.code).toBe('invalid');
    expect(error.message).toBe(
      `${where}: none of the partitions of partitionLimitation exists: correct it or leave it out`,
    );
  });
});

describe('the working behind the number', () => {
  it('shows what was counted and what was not', () => {
    const before = fold(
      undefined,
      snapshotOf({
        orders: [
          [0, 90, 50],
          [0, 10, 4],
          [0, 9, null],
        ],
      }),
      nowMs - 60_000,
    );
    const now = snapshotOf({
      orders: [
        [0, 300, 50],
        [0, 20, 16],
        [0, 9, null],
      ],
    });
    const reading = readAt(now, { excludePersistentLag: true }, before);
    expect(reading.kind === 'known' && reading.detail()).toEqual({
      lag: 5,
      persistentLag: 250,
      partitions: 3,
      laggingPartitions: 2,
      partitionsWithoutCommit: 1,
      commitsBeyondEnd: 0,
      producedPerSecond: 3.67,
      consumedPerSecond: 0.2,
    });
  });

  it('has no rates after the first read', () => {
    const reading = readAt(snapshotOf({ orders: lags(1) }));
    expect(reading.kind === 'known' && Object.keys(reading.detail())).not.toContain('producedPerSecond');
  });
});

describe('the oldest waiting record', () => {
  const sinceMs = nowMs - 60_000;
  const [old, young] = [nowMs - 40_000, nowMs - 20_000];
  /**
   * A minute ago all were at 10. Each reached its end at its time. `committed` are the group's present commits,
   * `[partition 0, 1]`.
   */
  function oldest(params: Partial<KafkaParams>, ...committed: readonly (number | null)[]) {
    let history: KafkaHistory | undefined;
    const readAtEnds = (ends: readonly number[], atMs: number, commits: readonly (number | null)[]) => {
      const snapshot = snapshotOf({
        orders: ends.map((end, partition) => [10, end, commits[partition] ?? null] as const),
      });
      history = fold(history, snapshot, atMs);
      return backlog(paramsOf(params), snapshot, history, atMs);
    };
    const before = committed.map((commit) => commit && 10);
    readAtEnds([10, 10], sinceMs, before);
    readAtEnds([20, 10], old, before);
    readAtEnds([20, 20], young, before);
    const reading = readAtEnds([20, 20], nowMs, committed);
    return reading.kind === 'known' ? reading.oldest : reading.kind;
  }

  it.each<[string, Partial<KafkaParams>, readonly (number | null)[], number | undefined]>([
    ['of all partitions', {}, [10, 10], old],
    ['a partition without lag has none', {}, [20, 10], young],
    ['none waits', {}, [20, 20], undefined],
    ['of the partitions that count', { partitionLimitation: [{ from: 1, to: 1 }] }, [10, 10], young],
    ['one without a commit is read from its start', { offsetResetPolicy: 'earliest' }, [null, 10], old],
    ['one without a commit that is read from its end has none', {}, [null, 10], young],
    ['not what is stuck', { excludePersistentLag: true, persistentLagSeconds: 30 }, [10, 10], young],
    ['one that counts as nothing', { scaleToZeroOnInvalidOffset: true }, [null, 20], undefined],
  ])('%s', (_, params, committed, expected) => {
    const found = oldest(params, ...committed);
    expect(found).toEqual(expected && { sinceMs: expected, atLeast: false });
  });

  it('from before the first read has a least age, also beside others whose age is known', () => {
    const first = snapshotOf({ orders: lags(5, 0) });
    const history = fold(undefined, first, sinceMs);
    const second = snapshotOf({ orders: lags(5, 7) });
    const reading = backlog(paramsOf(), second, fold(history, second, nowMs), nowMs);
    expect(reading).toMatchObject({ kind: 'known', oldest: { sinceMs, atLeast: true } });
  });
});

describe('target', () => {
  it('is the threshold, named by group and topics in any order', () => {
    const params = paramsOf({ topic: ['b', 'a', 'b'], lagThreshold: 7, activationLagThreshold: 3 });
    expect(target(params)).toEqual({ perReplica: 7, activation: 3, nameParts: ['workers', 'a', 'b'] });
  });

  it.each([
    [{ topic: [], topicPattern: 'x-*' }, ['workers', 'x-*']],
    [{ topic: [] }, ['workers']],
  ])('is named by %o', (params, nameParts) => {
    expect(target(paramsOf(params)).nameParts).toEqual(nameParts);
  });
});
