import type { Job } from '../job.ts';
import { believed, furthest, latest, type Register, type SeenStatus } from './registers.ts';

/**
 * All that is known of a job. Every part is a greatest or a least of what was heard, so that records of one job
 * join to the same, in whatever order and however often they are joined. Never changed in place.
 */
export interface JobRecord {
  readonly jobId: number;
  readonly runId: number;
  readonly runAttempt: number;
  /** As it was named last: repositories are renamed. */
  readonly repo: string;
  readonly labelSet: LabelSet;
  readonly webhook: Register | undefined;
  readonly rest: Register | undefined;
  /** A webhook that was not late, or REST, has told of it; else it may be a replay, and does not count. */
  readonly confirmed: boolean;
  /** A webhook may call it `queued` while it waits for an approval. */
  readonly gated: boolean;
  /** When it was first and last heard of, in ms since 1970 by our clock. */
  readonly firstHeardMs: number;
  readonly heardMs: number;
}

/** How late a webhook may be before we ask REST whether it is still true. */
const lateAfterMs = 15 * 60_000;

/** What a webhook says. `atMs`: when we received it. */
export function fromWebhook(job: Job, labelSet: LabelSet, atMs: number): JobRecord {
  const late = job.sinceMs !== undefined && atMs - job.sinceMs > lateAfterMs;
  return recordOf(job, labelSet, atMs, { webhook: registerOf(job, atMs), rest: undefined, confirmed: !late });
}

/** What REST says. `askedAtMs`: when the request was sent. */
export function fromRest(job: Job, labelSet: LabelSet, askedAtMs: number): JobRecord {
  const rest = registerOf(job, askedAtMs);
  return recordOf(job, labelSet, askedAtMs, { webhook: undefined, rest, confirmed: true });
}

/** REST did not find the job. Not for ever: a token that loses a repository gets 404 for all that is in it. */
export function fromNotFound(known: JobRecord, askedAtMs: number): JobRecord {
  const rest: Register = { status: 'gone', atMs: askedAtMs, sinceMs: undefined };
  return join(known, { ...known, rest, firstHeardMs: askedAtMs, heardMs: askedAtMs });
}

export function join(a: JobRecord, b: JobRecord): JobRecord {
  return {
    jobId: a.jobId,
    runId: a.runId,
    runAttempt: Math.max(a.runAttempt, b.runAttempt),
    repo: newerName(a, b),
    labelSet: fuller(a.labelSet, b.labelSet),
    webhook: furthest(a.webhook, b.webhook),
    rest: latest(a.rest, b.rest),
    confirmed: a.confirmed || b.confirmed,
    gated: a.gated || b.gated,
    firstHeardMs: Math.min(a.firstHeardMs, b.firstHeardMs),
    heardMs: Math.max(a.heardMs, b.heardMs),
  };
}

export function statusOf(record: JobRecord): SeenStatus {
  return believed(record.webhook, record.rest)?.status ?? 'gone';
}

/** As what the job counts: `queued`, `in_progress`, or not at all. */
export function countedAs(record: JobRecord): 'queued' | 'in_progress' | undefined {
  if (!record.confirmed) return undefined;
  const status = statusOf(record);
  return status === 'queued' || status === 'in_progress' ? status : undefined;
}

/** Field by field: spreading an object costs more than all else that is done with a webhook. */
function recordOf(
  job: Job,
  labelSet: LabelSet,
  atMs: number,
  { webhook, rest, confirmed }: Pick<JobRecord, 'webhook' | 'rest' | 'confirmed'>,
): JobRecord {
  return {
    jobId: job.jobId,
    runId: job.runId,
    runAttempt: job.runAttempt,
    repo: job.repo,
    labelSet,
    webhook,
    rest,
    confirmed,
    gated: job.gated || job.status === 'waiting',
    firstHeardMs: atMs,
    heardMs: atMs,
  };
}

function registerOf({ status, sinceMs }: Job, atMs: number): Register {
  return { status, atMs, sinceMs };
}

function newerName(a: JobRecord, b: JobRecord): string {
  if (a.heardMs !== b.heardMs) return a.heardMs > b.heardMs ? a.repo : b.repo;
  return a.repo > b.repo ? a.repo : b.repo;
}

/** A payload may lack labels that another has; none invents them. */
function fuller(a: LabelSet, b: LabelSet): LabelSet {
  if (a.labels.length !== b.labels.length) return a.labels.length > b.labels.length ? a : b;
  return a.key >= b.key ? a : b;
}

/** A set of labels as jobs share it, with what tells it from others. */
export interface LabelSet {
  readonly key: string;
  /** Lower case, each once, sorted. */
  readonly labels: readonly string[];
}

const maxSets = 10_000;

/** Lets the jobs that ask for the same labels share one array. Forgetting a set costs memory only. */
export class LabelSets {
  private readonly sets = new Map<string, LabelSet>();

  of(labels: readonly string[]): LabelSet {
    const key = labels.join('\u0000');
    const known = this.sets.get(key);
    if (known !== undefined) return known;
    if (this.sets.size >= maxSets) this.sets.clear();
    const set = { key, labels: [...labels] };
    this.sets.set(key, set);
    return set;
  }
}
