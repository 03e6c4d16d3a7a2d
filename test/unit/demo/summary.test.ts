import { describe, expect, it } from 'vitest';
import { duration, type Outcome, summarize, type Words } from '../../../demo/summary.ts';

const good: Outcome = {
  wakes: [
    { toldAfterMs: 2.44, startedAfterMs: 3 },
    { toldAfterMs: -0.2, startedAfterMs: 1 },
  ],
  peakBacklog: 580,
  replicasWanted: 6,
  peakReplicas: 6,
  reachedAfterMs: 2500,
  zeroAfterMs: [11_000, 10_000],
  failedAnswers: 0,
  rpcsAnswered: 300,
  requestsSent: 120,
};
const words: Words = { waker: 'the record', counted: 'its ack', upstream: 'Kafka' };

describe('summarize', () => {
  it('reports every number', () => {
    expect(summarize(good, words)).toEqual({
      kept: true,
      lines: [
        'yes  woken by the record: true on the stream 2.4 ms and -0.2 ms after its ack',
        'yes  0 → 1 replicas 3.0 ms and 1.0 ms after its ack',
        'yes  6 replicas wanted, 6 reached 2.5 s after its ack',
        'yes  back to zero 11.0 s and 10.0 s after the backlog was gone',
        'yes  0 answers failed',
        '     peak backlog 580, 300 RPCs answered, 120 requests sent to Kafka',
      ],
    });
  });

  it.each<[string, Partial<Outcome>]>([
    ['was not woken', { wakes: [{ toldAfterMs: undefined, startedAfterMs: 900 }] }],
    ['was told and not started', { wakes: [{ toldAfterMs: 1, startedAfterMs: undefined }] }],
    ['had no wake at all', { wakes: [] }],
    ['stayed below the replicas wanted', { peakReplicas: 4, reachedAfterMs: undefined }],
    ['went above the replicas wanted', { peakReplicas: 7 }],
    ['stayed up once', { zeroAfterMs: [11_000, undefined] }],
    ['failed an answer', { failedAnswers: 1 }],
  ])('rejects a run that %s', (_, change) => {
    const { kept, lines } = summarize({ ...good, ...change }, words);
    expect(kept).toBe(false);
    expect(lines.some((line) => line.startsWith('NO '))).toBe(true);
  });

  it("also judges a story's own promises", () => {
    const { kept, lines } = summarize(good, words, [{ kept: false, text: 'a lost webhook was found never' }]);
    expect(kept).toBe(false);
    expect(lines).toContain('NO   a lost webhook was found never');
  });
});

it.each([
  [undefined, 'never'],
  [0.04, '0.0 ms'],
  [999.9, '999.9 ms'],
  [1000, '1.0 s'],
])('a duration of %s is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
