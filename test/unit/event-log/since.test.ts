import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isDamage,
  keptSince,
  type StreamHead,
  type StreamPart,
  sinceRaise,
  streamHead,
} from '../../../src/event-log/nats/since.ts';

const nowMs = 1_000_000;
const head: StreamHead = { created: 'monday', lost: 0, atMs: 10, because: 'new' };
const facts = { created: 'monday', lost: 0, lastSequence: 9, seenSequence: 9 };
const damaged = { atMs: nowMs, because: 'damaged' };

describe('the head of a stream', () => {
  it.each([
    ['is new with the first look', undefined, facts, { created: 'monday', atMs: nowMs, because: 'new' }],
    ['stays where nothing has changed', head, facts, head],
    ['stays where it has grown', head, { ...facts, lastSequence: 12 }, head],
    ['is damaged where the stream was made anew', head, { ...facts, created: 'tuesday' }, damaged],
    ['is damaged where its end is gone', head, { ...facts, lastSequence: 8 }, damaged],
    ['is damaged where the server has lost messages', head, { ...facts, lost: 1 }, damaged],
    [
      'is damaged once for what was lost',
      { ...head, lost: 1 },
      { ...facts, lost: 1 },
      { atMs: 10, because: 'new' },
    ],
  ])('%s', (_, known, found, expected) => {
    expect(streamHead(known, found, nowMs)).toMatchObject(expected);
  });
});

const stream = { atMs: 10, because: 'new' } as const;
const connection = { atMs: 20, because: 'new' } as const;
describe('a process that knew the head', () => {
  const found = { ...head, atMs: 500, because: 'damaged' } as const;
  it.each([
    ['reads on where it is the same', head, head, facts, false],
    ['reads again where the stream was made anew', head, head, { ...facts, created: 'tuesday' }, true],
    ['reads again where its end is gone', head, head, { ...facts, lastSequence: 8 }, true],
    ['reads again where another pod has found damage', head, found, { ...facts, lastSequence: 12 }, true],
    ['reads on where it has read again', found, found, facts, false],
  ])('%s', (_, before, now, state, expected) => {
    expect(isDamage(before, now, state)).toBe(expected);
  });
});

const kept: StreamPart = {
  known: [stream, connection],
  readUntilMs: undefined,
  count: 5,
  maxCount: 10,
  firstMs: 500_000,
  streamFirstMs: 400_000,
  messages: 7,
  maxMessages: 70,
  bytes: 100,
  maxBytes: 1_000,
  maxAgeMs: 5_000_000,
};

describe('since when a connection is whole', () => {
  it.each([
    ['since it was followed', {}, { atMs: 20, because: 'new' }],
    [
      'since the stream is',
      { known: [{ atMs: 30, because: 'damaged' }, connection] },
      { atMs: 30, because: 'damaged' },
    ],
    ['for as long as events are kept', { maxAgeMs: 1_000 }, { atMs: 999_000, because: 'dropped' }],
    [
      'since its first event, where it has as many as it may',
      { count: 10 },
      { atMs: 500_000, because: 'dropped' },
    ],
    [
      'since the first event of all, where the stream is full',
      { bytes: 900 },
      { atMs: 400_000, because: 'dropped' },
    ],
    [
      'since the first event of all, where the stream has as many as it may',
      { messages: 70 },
      { atMs: 400_000, because: 'dropped' },
    ],
    [
      'as before, where only events were dropped that the reader has',
      { count: 10, bytes: 900, maxAgeMs: 1_000, readUntilMs: 999_000 },
      { atMs: 20 },
    ],
    [
      'since what was dropped after the reader was there last',
      { count: 10, bytes: 900, maxAgeMs: 1_000, readUntilMs: 450_000, known: [{ atMs: 5, because: 'new' }] },
      { atMs: 999_000, because: 'dropped' },
    ],
    [
      'since it was followed, though the stream was full before',
      { bytes: 900, streamFirstMs: 15 },
      { atMs: 20 },
    ],
  ] as const)('%s', (_, more, expected) => {
    expect(keptSince({ ...kept, ...more }, nowMs)).toMatchObject(expected);
  });

  it('is never before any of the reasons', () => {
    const time = fc.integer({ min: 0, max: nowMs });
    fc.assert(
      fc.property(time, time, time, fc.integer({ min: 0, max: 20 }), (stream, connection, firstMs, count) => {
        const { atMs } = keptSince(
          {
            ...kept,
            known: [
              { atMs: stream, because: 'damaged' },
              { atMs: connection, because: 'new' },
            ],
            firstMs,
            count,
          },
          nowMs,
        );
        expect(atMs).toBe(Math.max(stream, connection, ...(count >= 10 ? [firstMs] : [])));
      }),
    );
  });
});

describe('limits that are raised', () => {
  const limits = { maxAgeMs: 1_000, maxCount: 10, maxBytes: 1_000 };
  const state = { bytes: 100, streamFirstMs: 400_000 };
  it.each([
    ['the same: nothing was dropped', limits, state, undefined],
    [
      'lowered: what they drop now is told when it is read',
      { ...limits, maxAgeMs: 10, maxBytes: 10 },
      state,
      undefined,
    ],
    ['a longer time', { ...limits, maxAgeMs: 9_000 }, state, { atMs: 999_000, because: 'dropped' }],
    ['more bytes, which were not needed', { ...limits, maxBytes: 9_000 }, state, undefined],
    [
      'more bytes',
      { ...limits, maxBytes: 9_000 },
      { ...state, bytes: 950 },
      { atMs: 400_000, because: 'dropped' },
    ],
  ])('%s', (_, after, found, expected) => {
    expect(sinceRaise(limits, after, found, nowMs)).toEqual(expected);
  });
});
