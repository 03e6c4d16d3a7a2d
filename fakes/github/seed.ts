import type { Conclusion, JobStatus } from './world/job.ts';
import type { Repo } from './world/owner.ts';
import type { Run } from './world/run.ts';
import type { World } from './world/world.ts';

export interface SeedJob {
  readonly labels: readonly string[];
  readonly name?: string;
  /** Default: `queued`. */
  readonly status?: JobStatus;
  /** Of a completed job. Default: `success`. */
  readonly conclusion?: Conclusion;
}

export interface Seed {
  readonly jobs: readonly SeedJob[];
  readonly event?: string;
  /** Default: now. */
  readonly createdAtMs?: number;
  /** The status of the run, whatever its jobs' are. */
  readonly status?: JobStatus;
}

/** A run from before, without a webhook. */
export function seedRun(world: World, repo: Repo, seed: Seed): Run {
  const createdAtMs = seed.createdAtMs ?? world.now();
  const run = world.addRun(repo, seed.event ?? 'push', createdAtMs, {
    attempt: 1,
    forced: seed.status,
    jobsToCome: 0,
    begun: seed.jobs.some(({ status }) => status === 'in_progress'),
    startedAtMs: createdAtMs,
  });
  seed.jobs.forEach(({ labels, name, status = 'queued', conclusion = 'success' }, index) => {
    const completed = status === 'completed';
    const taken = status === 'in_progress' || (completed && conclusion !== 'skipped');
    world.addJob(run, {
      name: name ?? `job-${index + 1}`,
      environment: status === 'waiting',
      createdAtMs,
      state: {
        status,
        conclusion: completed ? conclusion : null,
        startedAtMs: createdAtMs,
        completedAtMs: completed ? createdAtMs : null,
        runner: taken ? { id: 1, name: 'runner-1' } : null,
        labels,
      },
    });
  });
  return run;
}
