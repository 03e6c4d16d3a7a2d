import type { Conclusion, JobState, JobStatus } from './job.ts';

const order: readonly JobStatus[] = ['requested', 'waiting', 'pending', 'queued', 'in_progress', 'completed'];

/**
 * A run's status is that of its least advanced job (cli/cli#13972): one waiting job hides queued ones
 * (kedacore/keda#5788). A run without jobs is queued.
 */
export function runStatus(jobs: readonly JobState[], jobsToCome: number): JobStatus {
  let least = jobs.length === 0 ? order.indexOf('queued') : order.indexOf('completed');
  for (const { status } of jobs) least = Math.min(least, order.indexOf(status));
  const status = order[least] ?? 'queued';
  return status === 'completed' && jobsToCome > 0 ? 'in_progress' : status;
}

/** For a run whose jobs are all completed. */
export function runConclusion(jobs: readonly JobState[]): Conclusion {
  const conclusions = new Set(jobs.map((job) => job.conclusion));
  for (const worst of ['failure', 'timed_out', 'cancelled', 'action_required'] as const)
    if (conclusions.has(worst)) return worst;
  return conclusions.size === 1 && conclusions.has('skipped') ? 'skipped' : 'success';
}
