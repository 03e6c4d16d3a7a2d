import type { JobStatus } from '../job.ts';
import type { JobRecord } from './record.ts';
import { believed, type Register } from './registers.ts';

const hourMs = 3_600_000;

/**
 * How long a job can be what it is. GitHub cancels a job after 24 h in the queue, ends one on a self-hosted
 * runner after 5 days, and a run after 35 days (docs.github.com, "Actions limits"). Each with some time to spare.
 */
const limitMs: Record<Exclude<JobStatus, 'completed'>, number> = {
  waiting: 36 * 24 * hourMs,
  queued: 25 * hourMs,
  in_progress: (5 * 24 + 1) * hourMs,
};

/** No job can expire sooner than this after it was first heard of. */
export const soonestExpiryMs = Math.min(...Object.values(limitMs));

/** Whether the job has been what it is for longer than GitHub allows: its end was lost. */
export function isExpired(record: JobRecord, githubNowMs: number): boolean {
  const register = believed(record.webhook, record.rest);
  if (register === undefined || register.status === 'gone' || register.status === 'completed') return false;
  return githubNowMs - startMs(record, register) > limitMs[register.status];
}

/**
 * GitHub says when a job was created. One that has waited for an approval was created long before it was queued,
 * so that for it only our own clock tells; and that it waited we may have missed.
 */
function startMs({ gated, firstHeardMs }: JobRecord, { atMs, sinceMs }: Register): number {
  return Math.max((gated ? undefined : sinceMs) ?? atMs, firstHeardMs);
}
