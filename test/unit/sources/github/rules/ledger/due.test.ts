import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';
import { aJob, minuteMs, startMs } from './sightings.ts';

const silence = { queuedMs: 5 * minuteMs, runningMs: 30 * minuteMs };

function dueRuns(ledger: Ledger, afterMs: number): number[] {
  return ledger.due(startMs + afterMs, silence).map(({ runId }) => runId);
}

describe('due', () => {
  it.each([
    ['queued', false, 5 * minuteMs],
    ['waiting', false, 11_000],
    ['in_progress', false, 30 * minuteMs],
    ['queued', true, 11_000],
    ['in_progress', true, 30 * minuteMs],
  ] as const)('of a job that is %s (gated: %s): %s ms after its webhook', (status, gated, dueMs) => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ status, gated }), startMs);
    expect(dueRuns(ledger, dueMs - 1)).toEqual([]);
    expect(dueRuns(ledger, dueMs)).toEqual([100]);
  });

  it.each([
    ['queued', 5 * minuteMs],
    ['waiting', 5 * minuteMs],
    ['in_progress', 30 * minuteMs],
  ] as const)('of a job that is %s starts again with each answer of REST', (status, dueMs) => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ status, gated: true }), startMs);
    ledger.takeListing({ repo: 'acme/shop', runId: 100 }, [aJob({ status })], startMs + minuteMs);
    expect(dueRuns(ledger, minuteMs + dueMs - 1)).toEqual([]);
    expect(dueRuns(ledger, minuteMs + dueMs)).toEqual([100]);
  });

  it.each([
    ['a webhook', (ledger: Ledger) => ledger.takeWebhook(aJob({ gated: true }), startMs)],
    ['REST', (ledger: Ledger) => ledger.takeRest(aJob({ status: 'waiting' }), startMs)],
  ])('remembers the gate that %s reported', (_, tellOfGate) => {
    const ledger = new Ledger();
    tellOfGate(ledger);
    ledger.takeWebhook(aJob(), startMs + minuteMs);
    expect(dueRuns(ledger, minuteMs + 10_999)).toEqual([]);
    expect(dueRuns(ledger, minuteMs + 11_000)).toEqual([100]);
  });

  it('names the run that has been due for longest first, each once', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ jobId: 1, runId: 101 }), startMs + 2000);
    ledger.takeWebhook(aJob({ jobId: 2, runId: 102 }), startMs + 1000);
    ledger.takeWebhook(aJob({ jobId: 3, runId: 102 }), startMs + 3000);
    ledger.takeWebhook(aJob({ jobId: 4, runId: 103, status: 'in_progress' }), startMs);
    expect(dueRuns(ledger, 6 * minuteMs)).toEqual([102, 101]);
  });

  it('follows a silence that is stretched', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob(), startMs);
    const stretched = { queuedMs: 20 * minuteMs, runningMs: 30 * minuteMs };
    expect(ledger.due(startMs + 6 * minuteMs, stretched)).toEqual([]);
    expect(dueRuns(ledger, 6 * minuteMs)).toEqual([100]);
  });

  it('verifies a late webhook again only when REST can no longer lag', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ sinceMs: startMs - 60 * minuteMs }), startMs);
    expect(dueRuns(ledger, 0)).toEqual([100]);
    const { absent } = ledger.takeListing({ repo: 'acme/shop', runId: 100 }, [], startMs + 1000);
    expect(absent).toEqual([1]);
    ledger.gone(1, startMs + 2000);
    expect(dueRuns(ledger, 10_999)).toEqual([]);
    expect(dueRuns(ledger, 11_000)).toEqual([100]);
    ledger.gone(1, startMs + 12_000);
    expect(ledger.openRuns).toBe(0);
  });

  it('knows the runs of each repository, also under its new name', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob(), startMs);
    ledger.takeWebhook(aJob({ jobId: 2, runId: 101, repo: 'acme/web' }), startMs);
    expect([...ledger.repos()]).toEqual(['acme/shop', 'acme/web']);
    ledger.takeWebhook(aJob({ repo: 'acme/store' }), startMs + 1000);
    ledger.takeWebhook(aJob(), startMs + 500);
    expect([...ledger.repos()]).toEqual(['acme/web', 'acme/store']);
    expect(ledger.runsOf('acme/store')).toEqual([{ repo: 'acme/store', runId: 100 }]);
    expect(ledger.runsOf('acme/shop')).toEqual([]);
    expect([...ledger.counts('acme/shop')]).toEqual([]);
    expect([...ledger.counts('acme/store')]).toMatchObject([
      { labels: ['linux', 'self-hosted'], queued: 1, running: 0 },
    ]);
    expect(ledger.openRuns).toBe(2);
  });
});
