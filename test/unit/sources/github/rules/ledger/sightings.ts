import fc from 'fast-check';
import type { RunFact } from '../../../../../../src/sources/github/rules/job.ts';
import { type Job, statuses } from '../../../../../../src/sources/github/rules/job.ts';
import type { Ledger } from '../../../../../../src/sources/github/rules/ledger.ts';

/** One report, as a test gives it to a ledger or to the model. */
export type Sighting =
  | { kind: 'webhook'; job: Job; atMs: number }
  | { kind: 'rest'; job: Job; atMs: number }
  /** A webhook, after which REST answered 404. */
  | { kind: 'gone'; job: Job; atMs: number; askedAtMs: number }
  | { kind: 'listing'; jobs: readonly Job[]; atMs: number }
  | { kind: 'run'; fact: RunFact; atMs: number };

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
/** Some moment. No time in a test is close to 1970. */
export const startMs = Date.UTC(2026, 10, 22);

export function aJob(fields: Partial<Job> = {}): Job {
  return {
    jobId: 1,
    runId: 100,
    runAttempt: 1,
    repo: 'acme/shop',
    labels: ['linux', 'self-hosted'],
    status: 'queued',
    sinceMs: undefined,
    gated: false,
    ...fields,
  };
}

export function aRun(fields: Partial<RunFact> = {}): RunFact {
  return { kind: 'run', repo: 'acme/shop', runId: 100, runAttempt: 1, status: 'completed', ...fields };
}

export function tell(ledger: Ledger, sighting: Sighting): void {
  switch (sighting.kind) {
    case 'webhook':
      ledger.takeWebhook(sighting.job, sighting.atMs);
      return;
    case 'rest':
      ledger.takeRest(sighting.job, sighting.atMs);
      return;
    case 'gone':
      ledger.takeWebhook(sighting.job, sighting.atMs);
      ledger.gone(sighting.job.jobId, sighting.askedAtMs);
      return;
    case 'listing': {
      const [first = aJob()] = sighting.jobs;
      ledger.takeListing({ repo: first.repo, runId: first.runId }, sighting.jobs, sighting.atMs);
      return;
    }
    case 'run':
      ledger.takeRun(sighting.fact, sighting.atMs);
  }
}

const repos = ['acme/shop', 'acme/web'];
const labelSets = [[], ['linux', 'self-hosted'], ['gpu']];

/** The fixed properties of a job follow from its ID: 1–4 in run 100, 5–8 in run 101. Odd ones are in a first attempt. */
function jobWith(jobId: number, fields: Partial<Job>): Job {
  const run = jobId <= 4 ? 0 : 1;
  return aJob({
    jobId,
    runId: 100 + run,
    repo: repos[run] ?? '',
    runAttempt: 1 + (jobId % 2),
    labels: labelSets[jobId % 3] ?? [],
    ...fields,
  });
}

const atMs = fc.integer({ min: 0, max: 60 }).map((seconds) => startMs + seconds * 1000);
const status = fc.constantFrom(...statuses);
/** How old a report is. Half an hour is late. */
const ageMs = fc.constantFrom(undefined, 0, 30 * minuteMs);
const gated = fc.boolean();
const jobId = fc.integer({ min: 1, max: 8 });

const told = fc.record({ jobId, atMs, status, ageMs, gated }).map(({ jobId, atMs, status, ageMs, gated }) => {
  const sinceMs = ageMs === undefined ? undefined : atMs - ageMs;
  return { job: jobWith(jobId, { status, sinceMs, gated }), atMs };
});

/** A report of one job, by webhook or REST. */
export const heardJob = fc.oneof(
  told.map((heard) => ({ kind: 'webhook' as const, ...heard })),
  told.map((heard) => ({ kind: 'rest' as const, ...heard })),
);

/** Any report of eight jobs in two runs within a minute, even if reports contradict each other. */
export const sighting: fc.Arbitrary<Sighting> = fc.oneof(
  { weight: 9, arbitrary: heardJob },
  {
    weight: 1,
    arbitrary: fc
      .record({ heard: told, askedAtMs: atMs })
      .map(({ heard, askedAtMs }) => ({ kind: 'gone' as const, ...heard, askedAtMs })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ run: fc.constantFrom(0, 4), states: fc.array(status, { maxLength: 4 }), atMs })
      .map(({ run, states, atMs }) => ({
        kind: 'listing' as const,
        jobs: states.map((status, index) => jobWith(run + index + 1, { status })),
        atMs,
      })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        runId: fc.constantFrom(100, 101),
        runAttempt: fc.integer({ min: 1, max: 3 }),
        status: fc.constantFrom('requested' as const, 'in_progress' as const, 'completed' as const),
        atMs,
      })
      .map(({ atMs, ...fields }) => ({ kind: 'run' as const, fact: aRun(fields), atMs })),
  },
);
