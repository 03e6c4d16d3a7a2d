import { describe, expect, it } from 'vitest';
import { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';
import { shown } from './model.ts';
import { aJob, aRun, hourMs, minuteMs, type Sighting, startMs, tell } from './sightings.ts';

const seconds = (count: number) => startMs + count * 1000;

function webhook(fields: Parameters<typeof aJob>[0], atSeconds = 0): Sighting {
  return { kind: 'webhook', job: aJob(fields), atMs: seconds(atSeconds) };
}

function run(fields: Parameters<typeof aRun>[0], atSeconds = 0): Sighting {
  return { kind: 'run', fact: aRun(fields), atMs: seconds(atSeconds) };
}

const one = ['linux+self-hosted: 1/0'];
const oneRunning = ['linux+self-hosted: 0/1'];

describe('GitHub’s webhooks', () => {
  it.each<[string, Sighting[], string[]]>([
    ['queued', [webhook({})], one],
    ['queued, twice', [webhook({}), webhook({}, 1)], one],
    ['queued and picked up', [webhook({}), webhook({ status: 'in_progress' }, 5)], oneRunning],
    ['picked up, and queued late', [webhook({ status: 'in_progress' }), webhook({}, 5)], oneRunning],
    ['picked up, queued lost', [webhook({ status: 'in_progress' })], oneRunning],
    [
      'completed, and the others late',
      [webhook({ status: 'completed' }), webhook({ status: 'in_progress' }, 1), webhook({}, 2)],
      [],
    ],
    ['cancelled in the queue', [webhook({}), webhook({ status: 'completed' }, 30)], []],
    ['completed without labels', [webhook({}), webhook({ status: 'completed', labels: [] }, 30)], []],
    [
      'picked up without labels',
      [webhook({}), webhook({ status: 'in_progress', labels: [] }, 30)],
      oneRunning,
    ],
    ['queued without labels, then with them', [webhook({ labels: [] }), webhook({}, 1)], one],
    ['queued with labels, then without', [webhook({}), webhook({ labels: [] }, 1)], one],
    [
      'a skipped job that was never queued, beside one that is',
      [webhook({}), webhook({ jobId: 2, status: 'completed', labels: [] }, 1)],
      one,
    ],
    ['queued for a runner group, without labels', [webhook({ labels: [] })], [': 1/0']],
    ['waiting at a gate', [webhook({ status: 'waiting', gated: true })], []],
    ['let through a gate', [webhook({ status: 'waiting', gated: true }), webhook({ gated: true }, 60)], one],
    [
      'waiting after queued, which is out of order',
      [webhook({ gated: true }), webhook({ status: 'waiting', gated: true }, 1)],
      one,
    ],
    [
      'jobs of one run with other labels',
      [webhook({}), webhook({ jobId: 2, labels: ['gpu'] })],
      ['gpu: 1/0', ...one],
    ],
  ])('%s', (_, sightings, counts) => {
    const ledger = new Ledger();
    for (const sighting of sightings) tell(ledger, sighting);
    expect(shown(ledger.counts())).toEqual(counts);
  });
});

describe('re-runs', () => {
  const carriedOver = [11, 12, 13, 14, 15].map((jobId) =>
    webhook({ jobId, runAttempt: 2, status: 'completed' }, 1),
  );

  it.each<[string, Sighting[], string[]]>([
    [
      'completed jobs that are told of anew under new ids',
      [webhook({ jobId: 10, runAttempt: 2 }), ...carriedOver],
      one,
    ],
    [
      'the run of the first attempt is completed late',
      [webhook({ jobId: 10, runAttempt: 2 }), run({ runAttempt: 1 }, 1)],
      one,
    ],
    [
      'the first attempt is completed, then run again',
      [webhook({}), run({ runAttempt: 1 }, 1), webhook({ jobId: 10, runAttempt: 2 }, 60)],
      one,
    ],
    ['the end of the first attempt was lost', [webhook({}), webhook({ jobId: 10, runAttempt: 2 }, 60)], one],
    ['a late word of the first attempt', [webhook({ jobId: 10, runAttempt: 2 }), webhook({}, 60)], one],
    [
      'the second attempt is only requested',
      [webhook({}), run({ runAttempt: 2, status: 'requested' }, 60)],
      [],
    ],
  ])('%s', (_, sightings, counts) => {
    for (const order of [sightings, sightings.toReversed()]) {
      const ledger = new Ledger();
      for (const sighting of order) tell(ledger, sighting);
      expect(shown(ledger.counts())).toEqual(counts);
    }
  });
});

describe('a completed run', () => {
  it('ends all its jobs, and those reported later', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob(), startMs);
    ledger.takeWebhook(aJob({ jobId: 2, status: 'in_progress' }), startMs);
    ledger.takeWebhook(aJob({ jobId: 3, runId: 101 }), startMs);
    expect(ledger.takeRun(aRun(), seconds(1))).toEqual({ changed: true, unheard: false });
    expect(shown(ledger.counts())).toEqual(one);
    expect(ledger.takeWebhook(aJob({ jobId: 4 }), seconds(2))).toEqual({ changed: false, unheard: false });
    expect(ledger.takeRun(aRun(), seconds(3)).changed).toBe(false);
    expect(ledger.openRuns).toBe(1);
  });
});

describe('unheard', () => {
  it.each([
    ['waiting', false],
    ['queued', false],
    ['in_progress', true],
    ['completed', true],
  ] as const)('is reported for a job that begins with %s: %s', (status, unheard) => {
    const ledger = new Ledger();
    expect(ledger.takeWebhook(aJob({ status }), startMs).unheard).toBe(unheard);
    expect(ledger.takeWebhook(aJob({ status: 'completed' }), seconds(1)).unheard).toBe(false);
  });
});

describe('a late webhook', () => {
  const late = aJob({ sinceMs: startMs - 16 * minuteMs });

  it('does not count until REST confirms it, and is due for verification at once', () => {
    const ledger = new Ledger();
    expect(ledger.takeWebhook(late, startMs).changed).toBe(false);
    expect(shown(ledger.counts())).toEqual([]);
    const silence = { queuedMs: hourMs, runningMs: hourMs };
    expect(ledger.due(startMs, silence)).toEqual([{ repo: 'acme/shop', runId: 100 }]);
    expect(ledger.takeRest(aJob(), seconds(1))).toEqual({ changed: true, opened: 1, closed: 0 });
    expect(shown(ledger.counts())).toEqual(one);
    expect(ledger.due(seconds(2), silence)).toEqual([]);
  });

  it('counts if the clocks differ by three minutes', () => {
    const ledger = new Ledger();
    expect(ledger.takeWebhook(aJob({ sinceMs: startMs - 3 * minuteMs }), startMs).changed).toBe(true);
    expect(ledger.takeWebhook(aJob({ jobId: 2, sinceMs: startMs + 3 * minuteMs }), startMs).changed).toBe(
      true,
    );
  });

  it('counts with another webhook of the job in time', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(late, startMs);
    ledger.takeWebhook(aJob({ status: 'in_progress', sinceMs: startMs }), seconds(1));
    expect(shown(ledger.counts())).toEqual(oneRunning);
  });

  it('still ends the job for good', () => {
    const ledger = new Ledger();
    ledger.takeWebhook({ ...late, status: 'completed' }, startMs);
    ledger.takeWebhook(aJob({ sinceMs: startMs }), seconds(1));
    expect(shown(ledger.counts())).toEqual([]);
  });

  it('does not restart a replayed job', () => {
    const ledger = new Ledger();
    ledger.takeWebhook(aJob(), startMs);
    ledger.takeWebhook(aJob({ status: 'completed' }), seconds(60));
    ledger.takeWebhook(aJob(), startMs + 71 * hourMs);
    expect(shown(ledger.counts())).toEqual([]);
  });
});
