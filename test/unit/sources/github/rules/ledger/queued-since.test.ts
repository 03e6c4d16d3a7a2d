import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';
import { aJob, minuteMs, startMs } from './sightings.ts';

type Heard = readonly [by: 'webhook' | 'rest', afterMinutes: number, job: Parameters<typeof aJob>[0]];

const atMinute = (minute: number) => startMs + minute * minuteMs;
const since = (minute: number, atLeast = false) => ({ sinceMs: atMinute(minute), atLeast });
const queued = (minute: number, more = {}) => ({ sinceMs: atMinute(minute), ...more });

describe('since when the oldest job is queued', () => {
  it.each<[string, readonly Heard[], object | undefined]>([
    ["by GitHub's clock, not by when we heard of it", [['webhook', 3, queued(1)]], since(1)],
    ['as REST tells after a start', [['rest', 60, queued(1)]], since(1)],
    ['a webhook without a time: when it came', [['webhook', 3, {}]], since(3)],
    ['REST without a time: not known', [['rest', 3, {}]], undefined],
    [
      'a time that is heard later',
      [
        ['webhook', 3, {}],
        ['rest', 5, queued(1)],
      ],
      since(1),
    ],
    ['let through a gate: when GitHub told us', [['webhook', 9, { gated: true }]], since(9)],
    [
      'let through, though REST says when it was made',
      [
        ['webhook', 9, { gated: true }],
        ['rest', 12, queued(0)],
      ],
      since(9),
    ],
    ['let through, and nobody told us when', [['rest', 12, queued(0, { gated: true })]], undefined],
    [
      'the older one is heard of later',
      [
        ['webhook', 9, queued(8)],
        ['rest', 10, queued(2, { jobId: 2 })],
      ],
      since(2),
    ],
    [
      'beside one of unknown age',
      [
        ['webhook', 9, queued(8)],
        ['rest', 10, { jobId: 2 }],
      ],
      since(8, true),
    ],
    [
      'the oldest runs now',
      [
        ['webhook', 1, queued(1)],
        ['webhook', 5, queued(5, { jobId: 2 })],
        ['webhook', 6, { status: 'in_progress' }],
      ],
      since(5),
    ],
    [
      'one of two that are as old is done',
      [
        ['webhook', 1, queued(1)],
        ['webhook', 1, queued(1, { jobId: 2 })],
        ['webhook', 6, { status: 'completed' }],
      ],
      since(1),
    ],
    [
      'the oldest of three runs now',
      [
        ['webhook', 1, queued(1)],
        ['rest', 9, queued(5, { jobId: 2 })],
        ['rest', 9, queued(8, { jobId: 3 })],
        ['webhook', 9, { status: 'in_progress' }],
      ],
      since(5),
    ],
    [
      'it runs',
      [
        ['webhook', 1, queued(1)],
        ['webhook', 6, { status: 'in_progress' }],
      ],
      undefined,
    ],
  ])('%s', (_, heard, expected) => {
    const ledger = new Ledger();
    for (const [by, minute, fields] of heard) {
      if (by === 'webhook') ledger.takeWebhook(aJob(fields), atMinute(minute));
      else ledger.takeRest(aJob(fields), atMinute(minute));
    }
    for (const repo of [undefined, 'acme/shop']) {
      expect([...ledger.counts(repo)].map(({ oldest }) => oldest)).toEqual([expected]);
    }
  });

  it('does not wake: a time that becomes known changes no count', () => {
    const ledger = new Ledger();
    expect(ledger.takeWebhook(aJob(), startMs).changed).toBe(true);
    expect(ledger.takeRest(aJob(queued(-5)), atMinute(1)).changed).toBe(false);
  });
});
