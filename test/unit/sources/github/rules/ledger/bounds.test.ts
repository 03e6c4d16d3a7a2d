import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';
import { shown } from './model.ts';
import { aJob, aRun, dayMs, hourMs, startMs } from './sightings.ts';

describe('expire', () => {
  it.each([
    ['queued', 25 * hourMs],
    ['in_progress', 5 * dayMs + hourMs],
    ['waiting', 36 * dayMs],
  ] as const)('drops a job that has been %s for more than %s ms', (status, limitMs) => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ status, sinceMs: startMs }), startMs);
    expect(ledger.expire(startMs + limitMs)).toBe(false);
    expect(ledger.openRuns).toBe(1);
    expect(ledger.expire(startMs + limitMs + 1)).toBe(status !== 'waiting');
    expect(ledger.openRuns).toBe(0);
    expect([...ledger.counts()]).toEqual([]);
  });

  it.each([2 * dayMs, -2 * dayMs])(
    'drops no job, and forgets no end, because a `Date` of GitHub is wrong by %s ms',
    (offsetMs) => {
      const ledger = new Ledger();
      ledger.takeWebhook(aJob({ sinceMs: startMs }), startMs);
      ledger.takeWebhook(aJob({ jobId: 2, gated: true, sinceMs: undefined }), startMs);
      ledger.takeWebhook(aJob({ jobId: 3, status: 'completed' }), startMs);
      expect(ledger.expire(startMs + 24 * hourMs, offsetMs)).toBe(false);
      ledger.takeWebhook(aJob({ jobId: 3 }), startMs + 24 * hourMs);
      expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 2/0']);
    },
  );

  it('drops a job by GitHub’s clock if ours is wrong', () => {
    const ledger = new Ledger();
    const offsetMs = 40 * hourMs;
    ledger.takeWebhook(aJob({ sinceMs: startMs + offsetMs }), startMs);
    expect(ledger.expire(startMs + 25 * hourMs, offsetMs)).toBe(false);
    expect(ledger.expire(startMs + 25 * hourMs + 1, offsetMs)).toBe(true);
  });

  it('drops a job that REST still calls queued, and does not take it back', () => {
    const ledger = new Ledger();
    const stuck = aJob({ sinceMs: startMs });
    for (let hour = 0; hour <= 25; hour += 1) ledger.takeRest(stuck, startMs + hour * hourMs);
    expect(ledger.expire(startMs + 26 * hourMs)).toBe(true);
    expect(ledger.takeRest(stuck, startMs + 26 * hourMs).changed).toBe(false);
    expect(shown(ledger.counts())).toEqual([]);
  });

  it('takes the job back when it runs after all', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ sinceMs: startMs }), startMs);
    const laterMs = startMs + 26 * hourMs;
    ledger.expire(laterMs);
    const running = aJob({ status: 'in_progress', sinceMs: laterMs });
    expect(ledger.takeWebhook(running, laterMs)).toEqual({ changed: true, unheard: false });
    expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 0/1']);
  });

  it('keeps a job that was let through its gate days after it was created', () => {
    const ledger = new Ledger();
    const createdMs = startMs - 10 * dayMs;
    ledger.takeWebhook(aJob({ status: 'waiting', gated: true, sinceMs: createdMs }), createdMs);
    ledger.takeWebhook(aJob({ gated: true, sinceMs: undefined }), startMs);
    expect(ledger.expire(startMs + 24 * hourMs)).toBe(false);
    ledger.takeRest(aJob({ sinceMs: createdMs }), startMs + 24 * hourMs);
    expect(ledger.expire(startMs + 26 * hourMs)).toBe(false);
    expect(ledger.expire(startMs + 50 * hourMs)).toBe(true);
  });

  it('keeps one that REST reports first, days after it was created', () => {
    const ledger = new Ledger();
    ledger.takeRest(aJob({ sinceMs: startMs - 3 * dayMs }), startMs);
    expect(ledger.expire(startMs + hourMs)).toBe(false);
    expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 1/0']);
  });

  it('drops only the expired jobs of a run', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ sinceMs: startMs }), startMs);
    ledger.takeWebhook(aJob({ jobId: 2, sinceMs: startMs + 20 * hourMs }), startMs + 20 * hourMs);
    ledger.expire(startMs + 26 * hourMs);
    expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 1/0']);
  });
});

describe('tombstones', () => {
  const isRemembered = (ledger: Ledger, jobId: number, atMs = startMs) =>
    !ledger.takeWebhook(aJob({ jobId, runId: jobId }), atMs).changed;

  it('last for 72 hours', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ status: 'completed' }), startMs);
    ledger.expire(startMs + 72 * hourMs);
    expect(isRemembered(ledger, 1, startMs + 72 * hourMs)).toBe(true);
    ledger.expire(startMs + 72 * hourMs + 1);
    expect(isRemembered(ledger, 1, startMs + 72 * hourMs + 1)).toBe(false);
  });

  it('are bounded in number, and the oldest go first', () => {
    const ledger = new Ledger({ maxTombstones: 3 });
    for (const jobId of [1, 2, 3, 4, 5]) {
      ledger.takeWebhook(aJob({ jobId, runId: jobId, status: 'completed' }), startMs + jobId);
    }
    expect(ledger.remembered).toEqual({ jobs: 3, runs: 3 });
    expect([1, 2, 3, 4, 5].map((jobId) => isRemembered(ledger, jobId))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it('make room a tenth at a time and never exceed their bound', () => {
    const ledger = new Ledger({ maxTombstones: 100 });
    for (let jobId = 1; jobId <= 1000; jobId += 1) {
      ledger.takeWebhook(aJob({ jobId, status: 'completed' }), startMs + jobId);
      const kept = ledger.remembered.jobs;
      expect(kept).toBeLessThanOrEqual(100);
      expect(kept).toBeGreaterThanOrEqual(Math.min(jobId, 90));
      expect(isRemembered(ledger, jobId)).toBe(true);
    }
  });

  it('are kept of runs too, for 72 hours', () => {
    const ledger = new Ledger();
    ledger.takeRun(aRun(), startMs);
    ledger.expire(startMs + 72 * hourMs);
    expect(ledger.takeWebhook(aJob(), startMs + 72 * hourMs).changed).toBe(false);
    ledger.expire(startMs + 72 * hourMs + 1);
    expect(ledger.takeWebhook(aJob({ jobId: 2 }), startMs + 72 * hourMs + 1).changed).toBe(true);
  });
});

describe('too many jobs', () => {
  it('are refused and counted, while known jobs continue', () => {
    const ledger = new Ledger({ maxJobs: 2 });
    ledger.takeWebhook(aJob({ jobId: 1 }), startMs);
    ledger.takeWebhook(aJob({ jobId: 2 }), startMs);
    expect(ledger.takeWebhook(aJob({ jobId: 3 }), startMs).changed).toBe(false);
    expect([ledger.refused, ledger.refusedAtMs]).toEqual([1, startMs]);
    ledger.takeWebhook(aJob({ jobId: 1, status: 'in_progress' }), startMs);
    expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 1/1']);
    ledger.takeWebhook(aJob({ jobId: 2, status: 'completed' }), startMs);
    ledger.takeWebhook(aJob({ jobId: 3 }), startMs);
    expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 1/1']);
    expect(ledger.refused).toBe(1);
  });
});

describe('counts', () => {
  it('are entries of their own, which later changes leave alone', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob(), startMs);
    const live = ledger.counts();
    const before = [...live];
    ledger.takeWebhook(aJob({ jobId: 2 }), startMs);
    expect(before).toMatchObject([{ labels: ['linux', 'self-hosted'], queued: 1, running: 0 }]);
    expect([...live]).toMatchObject([{ labels: ['linux', 'self-hosted'], queued: 2, running: 0 }]);
  });
});
