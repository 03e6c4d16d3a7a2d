import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Job, JobStatus } from '../../../../../../src/sources/github/rules/job.ts';
import { statuses } from '../../../../../../src/sources/github/rules/job.ts';
import { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';
import type { LabelCount } from '../../../../../../src/sources/github/rules/tally.ts';
import { addTo, shown } from './model.ts';
import { aJob, aRun, minuteMs, type Sighting, startMs, tell } from './sightings.ts';

/** A job as GitHub has it in the end. `path` are the states before. */
interface Life {
  readonly job: Job;
  readonly path: readonly JobStatus[];
}

const labels = fc.constantFrom(['gpu'], ['linux', 'self-hosted'], []);
const life = fc.record({
  run: fc.nat({ max: 3 }),
  labels,
  steps: fc.integer({ min: 1, max: 4 }),
  gate: fc.boolean(),
});

/** Some runs, each with jobs of its latest attempt, and an earlier attempt that has ended. */
const lives = fc.array(life, { maxLength: 12 }).map((all) =>
  all.flatMap(({ run, labels, steps, gate }, index): Life[] => {
    const path = statuses.slice(gate ? 0 : 1, Math.max(gate ? 1 : 2, steps));
    const runAttempt = run % 2 === 0 ? 1 : 2;
    const repo = run < 2 ? 'acme/shop' : 'acme/web';
    const fields = { jobId: index + 1, runId: 100 + run, repo, labels, runAttempt };
    const now = { job: aJob({ ...fields, status: path.at(-1) ?? 'queued', gated: gate }), path };
    const before = aJob({ ...fields, jobId: index + 101, runAttempt: 1, status: 'completed' });
    return runAttempt === 1 ? [now] : [now, { job: before, path: statuses.slice(1) }];
  }),
);

/** All webhooks that GitHub sends about these lives. */
function webhooksOf(lives: readonly Life[]): Sighting[] {
  const jobs = lives.flatMap(({ job, path }) =>
    path.map((status, step): Sighting => {
      const atMs = startMs + step * 20_000 + job.jobId * 100;
      return { kind: 'webhook', job: { ...job, status, sinceMs: atMs }, atMs };
    }),
  );
  const over = [...new Set(lives.map(({ job }) => job.runId))].filter((runId) =>
    lives.every(({ job }) => job.runId !== runId || job.status === 'completed'),
  );
  const runs = over.map((runId): Sighting => {
    const fact = aRun({ runId, runAttempt: runId % 2 === 0 ? 1 : 2 });
    return { kind: 'run', fact, atMs: startMs + 2 * minuteMs };
  });
  return [...jobs, ...runs];
}

/** The reconciler's work: each run that GitHub or the ledger has open, and each job that its listing lacks. */
function reconcile(ledger: Ledger, lives: readonly Life[], deleted: number, askedAtMs: number): void {
  const known = [...ledger.repos()].flatMap((repo) => ledger.runsOf(repo));
  const open = lives.map(({ job }) => ({ repo: job.repo, runId: job.runId }));
  for (const run of [...known, ...open]) {
    const jobs = lives
      .map(({ job }) => job)
      .filter(({ runId, jobId }) => runId === run.runId && jobId !== deleted);
    const latest = Math.max(...jobs.map(({ runAttempt }) => runAttempt));
    const listing = jobs.filter(({ runAttempt }) => runAttempt === latest);
    for (const jobId of ledger.takeListing(run, listing, askedAtMs).absent)
      ledger.gone(jobId, askedAtMs + 1000);
  }
}

function truth(lives: readonly Life[], deleted: number): string[] {
  const counts = new Map<string, LabelCount>();
  for (const { job } of lives) {
    const { status, labels, jobId } = job;
    if (jobId === deleted || (status !== 'queued' && status !== 'in_progress')) continue;
    addTo(counts, labels, status);
  }
  return shown(counts.values());
}

describe('lost webhooks', () => {
  it('cannot be felt after a reconcile, whichever were lost, and in whatever order the others came', () => {
    const cases = lives.chain((lives) => {
      const webhooks = webhooksOf(lives);
      return fc.tuple(fc.constant(lives), fc.shuffledSubarray(webhooks), fc.shuffledSubarray(webhooks));
    });
    // Either the first job is deleted, or none.
    fc.assert(
      fc.property(cases, fc.constantFrom(0, 1), ([lives, early, late], deleted) => {
        const ledger = new Ledger();
        for (const webhook of early) tell(ledger, webhook);
        reconcile(ledger, lives, deleted, startMs + 10 * minuteMs);
        expect(shown(ledger.counts())).toEqual(truth(lives, deleted));
        // Redelivered or repeated webhooks must not undo this for longer than until the next reconcile.
        for (const webhook of late) tell(ledger, webhook);
        reconcile(ledger, lives, deleted, startMs + 20 * minuteMs);
        expect(shown(ledger.counts())).toEqual(truth(lives, deleted));
      }),
      { numRuns: 1000 },
    );
  });
});
