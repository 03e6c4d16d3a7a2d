import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Metrics, MonthlyEstimate } from '../../../src/telemetry/metrics.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const monthMs = 30 * 24 * hourMs;

/** An estimate that counted every `everyMs` from `fromMs` up to and including `toMs`. */
function counted(everyMs: number, fromMs: number, toMs: number, estimate = new MonthlyEstimate(0)) {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += everyMs) estimate.count(nowMs);
  return estimate;
}

describe('the estimate of a month', () => {
  it('of a queue that is read every 5 s is 518,400', () => {
    expect(counted(5000, 2500, 6 * hourMs).perMonth(6 * hourMs)).toBe(518_400);
  });

  it('goes by the time since the start before there is an hour', () => {
    expect(counted(5000, 2500, 10 * minuteMs).perMonth(10 * minuteMs)).toBe(518_400);
  });

  it('of the first minute is that of a whole one', () => {
    expect(counted(1000, 1000, 10_000).perMonth(10_000)).toBe((10 * monthMs) / minuteMs);
  });

  it('forgets what is more than an hour old', () => {
    const estimate = counted(1000, 0, hourMs);
    expect(estimate.perMonth(2 * hourMs)).toBe(0);
    expect(estimate.perMonth(200 * hourMs)).toBe(0);
  });

  it('of a steady rate is that rate, whenever it is looked at', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 500, max: 30_000 }),
        fc.integer({ min: 3, max: 200 }),
        (everyMs, minutes) => {
          const nowMs = minutes * minuteMs + 12_345;
          const ratio = counted(everyMs, everyMs, nowMs).perMonth(nowMs) / (monthMs / everyMs);
          // One count more or less at the ends.
          expect(Math.abs(ratio - 1)).toBeLessThan((2 * everyMs) / (Math.min(minutes, 59) * minuteMs));
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('the metric', () => {
  it('exists for each open connection', async () => {
    let nowMs = 0;
    const metrics = new Metrics(() => nowMs);
    const jobs = metrics.forConnection('sqs', 'jobs');
    metrics.forConnection('sqs', 'mail');
    for (; nowMs < hourMs; nowMs += 2000) jobs.request('GetQueueAttributes', 'ok');
    const series = async () => {
      await metrics.exposition();
      const { values } = await metrics.sourceRequestsPerMonth.get();
      return values.map(({ labels, value }) => [labels['connection'], value]);
    };
    expect(await series()).toEqual([
      ['jobs', expect.closeTo(1_296_000, -4)],
      ['mail', 0],
    ]);
    metrics.forgetConnection('jobs');
    expect(await series()).toEqual([['mail', 0]]);
  });
});
