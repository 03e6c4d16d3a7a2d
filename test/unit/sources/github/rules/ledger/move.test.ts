import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';
import { shown } from './model.ts';
import { aJob, minuteMs, startMs } from './sightings.ts';

describe('two keys that turn out to be one repository', () => {
  it('have their jobs, runs and counts under one', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob({ repo: 'acme/old' }), startMs);
    ledger.takeWebhook(aJob({ jobId: 2, repo: 'acme/old', status: 'in_progress' }), startMs);
    ledger.takeWebhook(aJob({ jobId: 3, runId: 101, repo: 'acme/new' }), startMs);
    const all = shown(ledger.counts());
    ledger.move('acme/old', 'acme/new');
    expect(shown(ledger.counts('acme/new'))).toEqual(['linux+self-hosted: 2/1']);
    expect(shown(ledger.counts('acme/old'))).toEqual([]);
    expect(shown(ledger.counts())).toEqual(all);
    expect([...ledger.repos()]).toEqual(['acme/new']);
    expect(ledger.runsOf('acme/new').map(({ runId }) => runId)).toEqual([101, 100]);
    const silence = { queuedMs: minuteMs, runningMs: minuteMs };
    expect(new Set(ledger.due(startMs + minuteMs, silence).map(({ repo }) => repo))).toEqual(
      new Set(['acme/new']),
    );
    ledger.takeWebhook(aJob({ repo: 'acme/new', status: 'completed' }), startMs + 1);
    expect(shown(ledger.counts('acme/new'))).toEqual(['linux+self-hosted: 1/1']);
  });
});
