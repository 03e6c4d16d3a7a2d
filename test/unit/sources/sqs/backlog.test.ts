import { describe, expect, it } from 'vitest';
import { toMetric } from '../../../../src/scaling/metric.ts';
import { target } from '../../../../src/sources/sqs/rules/backlog.ts';
import { paramsOf } from './trigger-params.ts';
import { activityOf, readingsOf, type Seen } from './watching.ts';

const minuteMs = 60_000;

describe('the number', () => {
  const counts = { visible: 7, inFlight: 20, delayed: 300 };

  it.each([
    ['true', 'false', 27],
    ['true', 'true', 327],
    ['false', 'false', 7],
    ['false', 'true', 307],
  ])('with scaleOnInFlight %s and scaleOnDelayed %s is %d', (scaleOnInFlight, scaleOnDelayed, items) => {
    const [reading] = readingsOf(paramsOf({ scaleOnInFlight, scaleOnDelayed }), [{ atMs: 0, ...counts }]);
    expect(reading).toMatchObject({ items, active: true });
  });

  it.each([
    [4, 4],
    [20, 20],
    [21, 20],
    [500, 20],
  ])('with maxConcurrency 4, of %d messages, is %d', (visible, value) => {
    const params = paramsOf({ queueLength: '5', maxConcurrency: '4' });
    const [reading] = readingsOf(params, [{ atMs: 0, visible }]);
    expect(reading?.items).toBe(visible);
    expect(reading && toMetric(reading, 5)).toEqual({ value, active: true });
  });

  it('is the count as read while the trigger is not active yet, and says why it is not', () => {
    const [, reading] = readingsOf(paramsOf(), [{ atMs: 0 }, { atMs: 5000, visible: 2 }]);
    expect(reading).toMatchObject({ items: 2, active: false });
    expect(reading?.detail()).toEqual({
      visible: 2,
      inFlight: 0,
      delayed: 0,
      inactiveBecause: 'only messages in flight, or seen in one read without a hint',
    });
  });

  it('has the target and the name that the queue gives it', () => {
    const params = paramsOf({
      queueURL: '/123456789012/jobs.fifo',
      queueLength: '9',
      activationQueueLength: '2',
    });
    expect(target(params)).toEqual({ perReplica: 9, activation: 2, nameParts: ['jobs.fifo'] });
  });
});

interface Case {
  what: string;
  metadata?: Record<string, string>;
  wasActive?: boolean;
  reads: Seen[];
  active: boolean[];
}

const none = { atMs: 0 };

const cases: Case[] = [
  { what: 'after a start messages count', reads: [{ atMs: 0, visible: 1 }], active: [true] },
  { what: 'after a start messages in flight count', reads: [{ atMs: 0, inFlight: 1 }], active: [true] },
  { what: 'after a start no messages are none', reads: [none], active: [false] },
  {
    what: 'it takes more than the activation',
    metadata: { activationQueueLength: '3' },
    reads: [{ atMs: 0, visible: 3 }],
    active: [false],
  },
  {
    what: 'what is in flight counts towards the activation',
    metadata: { activationQueueLength: '3' },
    reads: [none, { atMs: 5000, visible: 2, inFlight: 2 }, { atMs: 6000, visible: 2, inFlight: 2 }],
    active: [false, false, true],
  },
  {
    what: 'without a hint, two reads a second apart wake',
    reads: [none, { atMs: 5000, visible: 1 }, { atMs: 6000, visible: 1 }],
    active: [false, false, true],
  },
  {
    what: 'two reads at once are not two',
    reads: [
      none,
      { atMs: 5000, visible: 1 },
      { atMs: 5300, visible: 1 },
      { atMs: 5600, visible: 1 },
      { atMs: 6300, visible: 1 },
    ],
    active: [false, false, false, false, true],
  },
  {
    what: 'a read of nothing in between starts over',
    reads: [none, { atMs: 5000, visible: 1 }, { atMs: 6000 }, { atMs: 11_000, visible: 1 }],
    active: [false, false, false, false],
  },
  {
    what: 'with a hint one read wakes',
    reads: [none, { atMs: 5000, visible: 1, hintAtMs: 4990 }],
    active: [false, true],
  },
  {
    what: 'a hint is fresh for five minutes',
    reads: [none, { atMs: 5 * minuteMs, visible: 1, hintAtMs: 0 }],
    active: [false, true],
  },
  {
    what: 'and then not any more',
    reads: [none, { atMs: 5 * minuteMs + 1, visible: 1, hintAtMs: 0 }],
    active: [false, false],
  },
  {
    what: 'many messages wake at once',
    reads: [none, { atMs: 5000, visible: 10 }],
    active: [false, true],
  },
  {
    what: 'many in flight do not',
    reads: [none, { atMs: 5000, inFlight: 500 }, { atMs: 6000, inFlight: 500 }],
    active: [false, false, false],
  },
  {
    what: 'nor with a hint',
    reads: [none, { atMs: 5000, inFlight: 5, hintAtMs: 5000 }],
    active: [false, false],
  },
  {
    what: 'delayed ones do not',
    reads: [none, { atMs: 5000, delayed: 5 }, { atMs: 6000, delayed: 5 }],
    active: [false, false, false],
  },
  {
    what: 'delayed ones do where they count',
    metadata: { scaleOnDelayed: 'true' },
    reads: [none, { atMs: 5000, delayed: 5 }, { atMs: 6000, visible: 1 }],
    active: [false, false, true],
  },
  {
    what: 'delayed ones beside some in flight do not where they do not count',
    reads: [none, { atMs: 5000, delayed: 5 }, { atMs: 6000, inFlight: 5 }, { atMs: 7000, delayed: 1 }],
    active: [false, false, true, true],
  },
  {
    what: 'once active, messages in flight keep it so',
    wasActive: true,
    reads: [
      { atMs: 0, visible: 3 },
      { atMs: 2000, inFlight: 3 },
      { atMs: 600_000, inFlight: 1 },
    ],
    active: [true, true, true],
  },
  {
    what: 'where they do not count, they do not',
    metadata: { scaleOnInFlight: 'false' },
    wasActive: true,
    reads: [
      { atMs: 0, visible: 3 },
      { atMs: 2000, inFlight: 3 },
      { atMs: 4000, inFlight: 3 },
    ],
    active: [true, true, false],
  },
  {
    what: 'one read of nothing is not believed',
    wasActive: true,
    reads: [{ atMs: 0, inFlight: 3 }, { atMs: 2000 }, { atMs: 4000, inFlight: 3 }],
    active: [true, true, true],
  },
  {
    what: 'two are',
    wasActive: true,
    reads: [{ atMs: 0, inFlight: 3 }, { atMs: 2000 }, { atMs: 4000 }],
    active: [true, true, false],
  },
  {
    what: 'a replica that waits takes a message unseen: soon after work, in flight counts',
    wasActive: true,
    reads: [
      { atMs: 0, visible: 3 },
      { atMs: 2000, visible: 3 },
      { atMs: 4000 },
      { atMs: 6000 },
      { atMs: 300_000, inFlight: 1 },
    ],
    active: [true, true, true, false, true],
  },
  {
    what: 'long after work it does not',
    wasActive: true,
    reads: [
      { atMs: 0, visible: 3 },
      { atMs: 2000, visible: 3 },
      { atMs: 4000 },
      { atMs: 6000 },
      { atMs: 302_001, inFlight: 1 },
    ],
    active: [true, true, true, false, false],
  },
];

describe('a trigger is active', () => {
  it.each(cases)('$what', ({ metadata = {}, wasActive, reads, active }) => {
    expect(activityOf(paramsOf(metadata), reads, wasActive)).toEqual(active);
  });
});
