import { describe, expect, it } from 'vitest';
import { isLeaderStale, judge } from '../../../../../../src/sources/kafka/upstream/watch/faults.ts';

const quiet = {
  topic: 't',
  partition: 0,
  errorCode: 0,
  highWatermark: 10,
  lastStableOffset: 10,
  logStartOffset: 0,
  recordBytes: 0,
};

describe('a broker’s answer for a partition watched from offset 10', () => {
  it.each([
    ['its end is where it was', {}, false, 'quiet'],
    ['a new leader has not caught up with its high watermark yet', { highWatermark: 9 }, false, 'quiet'],
    ['the end moved, the records are left out', { highWatermark: 11 }, false, 'record'],
    ['records came, the end was taken before they did', { recordBytes: 70 }, false, 'record'],
    ['a transaction is open', { highWatermark: 12, lastStableOffset: 10 }, true, 'quiet'],
    ['a transaction ended', { highWatermark: 12, lastStableOffset: 12 }, true, 'record'],
    ['OFFSET_OUT_OF_RANGE', { errorCode: 1, highWatermark: -1 }, false, 'topic changed'],
    ['UNKNOWN_TOPIC_OR_PARTITION', { errorCode: 3 }, false, 'topic changed'],
    ['NOT_LEADER_OR_FOLLOWER', { errorCode: 6 }, false, 'leader moved'],
    ['FENCED_LEADER_EPOCH', { errorCode: 74 }, false, 'leader moved'],
    ['TOPIC_AUTHORIZATION_FAILED', { errorCode: 29 }, false, 'no read right'],
    ['an error nobody knows', { errorCode: 999 }, false, 'watch lost'],
  ])('%s', (_, said, readCommitted, verdict) => {
    expect(judge({ ...quiet, ...said }, 10, readCommitted)).toBe(verdict);
  });

  it('causes a new look-up of leaders only if that can help', () => {
    expect([0, 1, 3, 6, 29, 74, 999].filter(isLeaderStale)).toEqual([3, 6, 74]);
  });
});
