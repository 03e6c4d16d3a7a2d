import { type Job, type JobStatus, rankOf } from './job.ts';

/**
 * Everything that is known of a job. Each part is the greatest or the least of what was heard. So records of a job join
 * to the same result in any order, and however often they are joined. Never changed in place.
 */
export interface JobRecord {
  readonly jobId: number;
  readonly runId: number;
  readonly runAttempt: number;
  /** The last known key of its repository. */
  readonly repo: string;
  readonly labelSet: LabelSet;
  readonly webhook: Register | undefined;
  readonly rest: Register | undefined;
  /** REST or a webhook in time has reported it. Otherwise it may be a replay, and does not count. */
  readonly confirmed: boolean;
  /** Whether a webhook may call it `queued` while it waits for an approval. */
  readonly gated: boolean;
  /** When it was first heard of, in ms since 1970 by our clock. `heardMs` is the last time. */
  readonly firstHeardMs: number;
  readonly heardMs: number;
}

/** How late a webhook may be before REST must confirm it. */
const lateAfterMs = 15 * 60_000;

/** A record from a webhook. `atMs` is when it was received. */
export function fromWebhook(job: Job, labelSet: LabelSet, atMs: number): JobRecord {
  const late = job.sinceMs !== undefined && atMs - job.sinceMs > lateAfterMs;
  return recordOf(job, labelSet, atMs, { webhook: registerOf(job, atMs), rest: undefined, confirmed: !late });
}

/** A record from REST. `askedAtMs` is when the request was sent. */
export function fromRest(job: Job, labelSet: LabelSet, askedAtMs: number): JobRecord {
  const rest = registerOf(job, askedAtMs);
  return recordOf(job, labelSet, askedAtMs, { webhook: undefined, rest, confirmed: true });
}

/** REST answered 404 for the job. This is not final: a token that loses a repository gets 404 for everything in it. */
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

/** How the job counts: `queued`, `in_progress`, or not at all. */
export function countedAs(record: JobRecord): 'queued' | 'in_progress' | undefined {
  if (!record.confirmed) return undefined;
  const status = statusOf(record);
  return status === 'queued' || status === 'in_progress' ? status : undefined;
}

/**
 * Since when a job that counts as queued has been queued, in ms since 1970 by GitHub's clock. For a job that needed an
 * approval it is when the webhook came, by our clock. Undefined if unknown.
 */
export function queuedSinceMs(record: JobRecord): number | undefined {
  if (countedAs(record) !== 'queued') return undefined;
  const { webhook, rest, gated } = record;
  const toldMs = webhook?.status === 'queued' ? webhook.atMs : undefined;
  return gated ? toldMs : (believed(webhook, rest)?.sinceMs ?? toldMs);
}

/** Written field by field, because spreading an object would cost more than the rest of the work on a webhook. */
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

/** A payload may lack labels that another one has, but none invents labels. */
function fuller(a: LabelSet, b: LabelSet): LabelSet {
  if (a.labels.length !== b.labels.length) return a.labels.length > b.labels.length ? a : b;
  return a.key >= b.key ? a : b;
}

/** A set of labels, shared by jobs, with its key. */
export interface LabelSet {
  readonly key: string;
  /** Lower case, each once, sorted. */
  readonly labels: readonly string[];
}

const maxSets = 10_000;

/** Lets jobs with the same labels share one array. Forgetting a set costs only memory. */
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

/** The reported state of a job. `gone`: REST answered 404. */
export type SeenStatus = JobStatus | 'gone';

/** The state that counts of those that webhooks reported, or of those that REST reported. */
export interface Register {
  readonly status: SeenStatus;
  /** When the webhook came, or the request to REST was sent, in ms since 1970 by our clock. */
  readonly atMs: number;
  /** Since when the job is in this state, in ms since 1970 by GitHub's clock. Undefined if GitHub does not say. */
  readonly sinceMs: number | undefined;
}

/**
 * REST lags behind the webhooks. An answer requested less than this after a webhook may show the state before it
 * (github-aws-runners/terraform-aws-github-runner#2459).
 */
export const restLagMs = 10_000;

/**
 * Of two states from webhooks, the further one counts, whichever came first, and then the newer one. It is the greatest
 * by a total order, so that order and duplicates do not matter.
 */
export function furthest(a: Register | undefined, b: Register | undefined): Register | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const further = rank(a) - rank(b) || a.atMs - b.atMs || since(a) - since(b);
  return further >= 0 ? a : b;
}

/** Of two states from REST, the one requested last counts, since REST may take a job back. `completed` stays. */
export function latest(a: Register | undefined, b: Register | undefined): Register | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const later = ended(a) - ended(b) || a.atMs - b.atMs || rank(a) - rank(b) || since(a) - since(b);
  return later >= 0 ? a : b;
}

/** Which of the two to believe. `completed` is always believed. Otherwise REST, once it can no longer lag. */
export function believed(webhook: Register | undefined, rest: Register | undefined): Register | undefined {
  if (webhook === undefined || rest === undefined) return webhook ?? rest;
  if (webhook.status === 'completed') return webhook;
  if (rest.status === 'completed') return rest;
  return rest.atMs > webhook.atMs + restLagMs ? rest : webhook;
}

function rank({ status }: Register): number {
  return status === 'gone' ? -1 : rankOf(status);
}

function since({ sinceMs }: Register): number {
  return sinceMs ?? 0;
}

function ended({ status }: Register): number {
  return status === 'completed' ? 1 : 0;
}

/** How long a job may be silent before REST is asked, in ms. */
export interface Silence {
  /** While it is queued or waits. */
  readonly queuedMs: number;
  /** While it runs. */
  readonly runningMs: number;
}

/** When REST can no longer lag behind a webhook. */
const settledAfterMs = restLagMs + 1_000;

/** When the first of some jobs must be verified. In parts, because the allowed silence changes. Infinite without jobs. */
export interface DueBound {
  fixedMs: number;
  queuedHeardMs: number;
  runningHeardMs: number;
}

export function emptyBound(): DueBound {
  return { fixedMs: Infinity, queuedHeardMs: Infinity, runningHeardMs: Infinity };
}

/** When the first of the jobs must be verified, in ms since 1970 by our clock. */
export function dueAtMs(bound: DueBound, silence: Silence): number {
  return Math.min(
    bound.fixedMs,
    bound.queuedHeardMs + silence.queuedMs,
    bound.runningHeardMs + silence.runningMs,
  );
}

/** Includes a job in the bound. */
export function lowerBound(bound: DueBound, record: JobRecord): void {
  const fixedMs = fixedDueMs(record);
  if (fixedMs !== undefined) bound.fixedMs = Math.min(bound.fixedMs, fixedMs);
  else if (statusOf(record) === 'in_progress') {
    bound.runningHeardMs = Math.min(bound.runningHeardMs, record.heardMs);
  } else bound.queuedHeardMs = Math.min(bound.queuedHeardMs, record.heardMs);
}

/** When to verify a job that does not wait for silence, in ms since 1970 by our clock. */
function fixedDueMs(record: JobRecord): number | undefined {
  const { webhook, rest, confirmed } = record;
  if (webhook === undefined || believed(webhook, rest) !== webhook) return undefined;
  // At once. But if REST answered 404, it may only have lagged.
  if (!confirmed) return rest === undefined ? webhook.atMs : webhook.atMs + settledAfterMs;
  const atGate = record.gated && webhook.status !== 'in_progress';
  return atGate || rest?.status === 'gone' ? webhook.atMs + settledAfterMs : undefined;
}

const hourMs = 3_600_000;

/**
 * How long a job can stay in a state. GitHub cancels a job after 24 h in the queue. It ends one on a self-hosted runner
 * after 5 days, and a run after 35 days (docs.github.com, "Actions limits"). Each has some time to spare.
 */
const limitMs: Record<Exclude<JobStatus, 'completed'>, number> = {
  waiting: 36 * 24 * hourMs,
  queued: 25 * hourMs,
  in_progress: (5 * 24 + 1) * hourMs,
};

/** No job can expire earlier than this after it was first heard of. */
export const soonestExpiryMs = Math.min(...Object.values(limitMs));

/**
 * Whether the job has been in its state for longer than GitHub allows, so that its end was lost. `clockOffsetMs` is
 * GitHub's clock minus ours.
 */
export function isExpired(record: JobRecord, nowMs: number, clockOffsetMs = 0): boolean {
  const register = believed(record.webhook, record.rest);
  if (register === undefined || register.status === 'gone' || register.status === 'completed') return false;
  return nowMs - startMs(record, register, clockOffsetMs) > limitMs[register.status];
}

/**
 * GitHub says when a job was created. A job that waited for an approval was created long before it was queued, so only
 * our own clock counts for it. We may also have missed that it waited. By our clock: no wrong `Date` of GitHub, or of a
 * proxy, makes a job older than we have known it.
 */
function startMs(
  { gated, firstHeardMs }: JobRecord,
  { atMs, sinceMs }: Register,
  clockOffsetMs: number,
): number {
  const saidMs = gated || sinceMs === undefined ? atMs : sinceMs - clockOffsetMs;
  return Math.max(saidMs, firstHeardMs);
}
