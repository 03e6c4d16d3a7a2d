import type { JobStatus } from '../job.ts';
import { type JobRecord, statusOf } from './record.ts';
import { believed, type Register, restLagMs } from './registers.ts';

/** For how long nothing may be heard of a job before REST is asked, in ms. */
export interface Silence {
  /** While it is queued or waits. */
  readonly queuedMs: number;
  /** While it runs. */
  readonly runningMs: number;
}

/** When REST cannot lag behind a webhook any more. */
const settledAfterMs = restLagMs + 1_000;

/** When the first of some jobs is to be verified, in parts, since the allowed silence changes. Infinity: none. */
export interface DueBound {
  fixedMs: number;
  queuedHeardMs: number;
  runningHeardMs: number;
}

export function emptyBound(): DueBound {
  return { fixedMs: Infinity, queuedHeardMs: Infinity, runningHeardMs: Infinity };
}

/** When the first of the jobs is to be verified, in ms since 1970 by our clock. */
export function dueAtMs(bound: DueBound, silence: Silence): number {
  return Math.min(
    bound.fixedMs,
    bound.queuedHeardMs + silence.queuedMs,
    bound.runningHeardMs + silence.runningMs,
  );
}

/** Takes a job into the bound. */
export function lowerBound(bound: DueBound, record: JobRecord): void {
  const fixedMs = fixedDueMs(record);
  if (fixedMs !== undefined) bound.fixedMs = Math.min(bound.fixedMs, fixedMs);
  else if (statusOf(record) === 'in_progress') {
    bound.runningHeardMs = Math.min(bound.runningHeardMs, record.heardMs);
  } else bound.queuedHeardMs = Math.min(bound.queuedHeardMs, record.heardMs);
}

/** Jobs that do not wait for silence, in ms since 1970 by our clock. */
function fixedDueMs(record: JobRecord): number | undefined {
  const { webhook, rest, confirmed } = record;
  if (webhook === undefined || believed(webhook, rest) !== webhook) return undefined;
  // At once; but if REST did not find it, it may only have lagged.
  if (!confirmed) return rest === undefined ? webhook.atMs : webhook.atMs + settledAfterMs;
  const atGate = record.gated && webhook.status !== 'in_progress';
  return atGate || rest?.status === 'gone' ? webhook.atMs + settledAfterMs : undefined;
}

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
