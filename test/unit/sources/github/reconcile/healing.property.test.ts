import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JobStatus } from '../../../../../src/sources/github/rules/job.ts';
import { type Reconciling, reconciling } from './reconciling.ts';
import { down, limited } from './scripted-github.ts';

const repos = ['acme/web', 'acme/api', 'acme/docs'];

interface Step {
  readonly repo: number;
  readonly run: number;
  readonly job: number;
  readonly status: JobStatus;
  readonly heard: boolean;
  readonly fault: 'none' | 'down' | 'limited';
  readonly seconds: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  repo: fc.nat({ max: repos.length - 1 }),
  run: fc.integer({ min: 1, max: 3 }),
  job: fc.integer({ min: 1, max: 3 }),
  status: fc.constantFrom<JobStatus[]>('waiting', 'queued', 'in_progress', 'completed'),
  heard: fc.boolean(),
  fault: fc.constantFrom('none', 'none', 'none', 'down', 'limited'),
  seconds: fc.constantFrom(0, 1, 12, 100, 400),
});

const faults = { none: () => undefined, down: () => down(), limited: () => limited(30) } as const;

async function happen(
  at: Reconciling,
  { repo, run, job, status, heard, fault, seconds }: Step,
): Promise<void> {
  const runId = repo * 10 + run;
  const jobId = runId * 10 + job;
  // A completed job stays completed, because a re-run has new IDs.
  const isOver = at.github.jobs.get(jobId)?.status === 'completed';
  if (!isOver) {
    const happened = at.github.put(repos[repo] ?? '', runId, jobId, status);
    if (heard) at.hear(happened);
  }
  at.github.fault = faults[fault];
  await at.seconds(seconds);
}

it('whatever was lost and whatever failed, a complete sweep brings the ledger to the truth', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const at = reconciling({ repos });
      for (const one of steps) await happen(at, one);
      at.github.fault = faults.none;
      await at.seconds(100);
      const quietAtMs = at.clock.nowMs;
      for (const repo of repos) at.reconciler.need([repo], 120_000);
      await at.seconds(100);
      for (const repo of repos) {
        const covered = at.coverage.of([repo]);
        expect(covered.kind === 'synced' && covered.confirmedAtMs).toBeGreaterThan(quietAtMs);
        expect(at.counted(repo)).toBe(at.github.open(repo));
      }
      expect(at.counted()).toBe(at.github.open());
      await at.reconciler.close();
    }),
    { numRuns: 200 },
  );
});
