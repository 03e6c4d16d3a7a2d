import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';
import { shown } from './model.ts';
import { aJob, minuteMs, startMs } from './sightings.ts';

const run = { repo: 'acme/shop', runId: 100 };
const laterMs = startMs + minuteMs;

function ledgerWith(...jobs: ReturnType<typeof aJob>[]): Ledger {
  const ledger = new Ledger();
  for (const job of jobs) ledger.takeWebhook(job, startMs);
  return ledger;
}

describe('takeListing', () => {
  it('changes nothing if REST agrees', () => {
    const ledger = ledgerWith(aJob());
    expect(ledger.takeListing(run, [aJob()], laterMs)).toEqual({
      changed: false,
      opened: 0,
      closed: 0,
      absent: [],
    });
  });

  it('counts jobs that webhooks have missed', () => {
    const ledger = ledgerWith(aJob(), aJob({ jobId: 2, status: 'in_progress' }), aJob({ jobId: 3 }));
    const jobs = [
      aJob({ status: 'completed' }),
      aJob({ jobId: 2, status: 'completed' }),
      aJob({ jobId: 3, status: 'in_progress' }),
      aJob({ jobId: 4 }),
    ];
    expect(ledger.takeListing(run, jobs, laterMs)).toEqual({
      changed: true,
      opened: 1,
      closed: 2,
      absent: [],
    });
    expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 1/1']);
  });

  it('takes a queued job back to its gate', () => {
    const ledger = ledgerWith(aJob({ gated: true }));
    const listed = ledger.takeListing(run, [aJob({ status: 'waiting' })], startMs + 10_001);
    expect(listed).toMatchObject({ changed: true, opened: 0, closed: 1 });
    expect(shown(ledger.counts())).toEqual([]);
  });

  it.each([-5_000, 0, 10_000])('does not lower a webhook if requested %s ms after it', (afterMs) => {
    const ledger = ledgerWith(aJob({ status: 'in_progress' }));
    expect(ledger.takeListing(run, [aJob()], startMs + afterMs).changed).toBe(false);
    expect(ledger.takeListing(run, [aJob({ status: 'waiting' })], startMs + afterMs).changed).toBe(false);
    expect(ledger.takeListing(run, [], startMs + afterMs).absent).toEqual([]);
    expect(ledger.gone(1, startMs + afterMs).changed).toBe(false);
    expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 0/1']);
  });

  it('ends open jobs of attempts before the one listed', () => {
    const ledger = ledgerWith(aJob(), aJob({ jobId: 2 }));
    const listed = ledger.takeListing(run, [aJob({ jobId: 3, runAttempt: 2 })], laterMs);
    expect(listed).toEqual({ changed: true, opened: 1, closed: 2, absent: [] });
  });

  it('names the open jobs that it lacks, also of an attempt that it does not know yet', () => {
    const ledger = ledgerWith(aJob(), aJob({ jobId: 2 }), aJob({ jobId: 3, runId: 101 }));
    expect(ledger.takeListing(run, [aJob()], laterMs).absent).toEqual([2]);
    expect(ledger.takeListing(run, [], laterMs + 1).absent).toEqual([1, 2]);
    const rerun = ledgerWith(aJob({ runAttempt: 2 }));
    const first = [aJob({ jobId: 9, status: 'completed' })];
    expect(rerun.takeListing(run, first, startMs + 10_000).absent).toEqual([]);
    expect(rerun.takeListing(run, first, laterMs).absent).toEqual([1]);
  });

  it('does not name a job that REST has reported since', () => {
    const ledger = ledgerWith(aJob());
    ledger.takeRest(aJob(), laterMs + 1);
    expect(ledger.takeListing(run, [], laterMs).absent).toEqual([]);
  });
});

describe('gone', () => {
  it('ends the job', () => {
    const ledger = ledgerWith(aJob());
    expect(ledger.gone(1, laterMs)).toEqual({ changed: true, opened: 0, closed: 1 });
    expect(ledger.openRuns).toBe(0);
    expect(ledger.gone(1, laterMs + 1).changed).toBe(false);
    expect(ledger.gone(99, laterMs).changed).toBe(false);
  });

  it('ends it only until REST finds it again: a token had lost the repository', () => {
    const ledger = ledgerWith(aJob());
    ledger.gone(1, laterMs);
    expect(ledger.takeListing(run, [aJob()], laterMs + 1)).toMatchObject({ changed: true, opened: 1 });
    expect([...ledger.records()]).toHaveLength(1);
    expect(shown(ledger.counts())).toEqual(['linux+self-hosted: 1/0']);
  });

  it('lets a webhook after it count, and has that verified soon', () => {
    const ledger = ledgerWith(aJob());
    ledger.gone(1, laterMs);
    expect(ledger.takeWebhook(aJob(), laterMs + minuteMs).changed).toBe(true);
    const silence = { queuedMs: 60 * minuteMs, runningMs: 60 * minuteMs };
    expect(ledger.due(laterMs + minuteMs + 10_000, silence)).toEqual([]);
    expect(ledger.due(laterMs + minuteMs + 11_000, silence)).toEqual([run]);
  });
});
