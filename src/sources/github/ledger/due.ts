import { type JobRecord, statusOf } from './record.ts';
import { believed, restLagMs } from './registers.ts';

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
