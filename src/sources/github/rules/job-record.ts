import { type Job, type JobStatus, rankOf } from './job.ts';

/**
 * Everything that is known of a job. Every part is a greatest or a least of what was heard, so that records of one job
 * join to the same, in whatever order and however often they are joined. Never changed in place.
 */
export interface JobRecord {
  readonly jobId: number;
  readonly runId: number;
  readonly runAttempt: number;
  /** What its repository was known by last. */
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

/** REST did not find the job. Not forever: a token that loses a repository gets 404 for everything in it. */
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

/**
 * Since when a job that counts as queued has been, in ms since 1970: by GitHub's clock, or of one that had to be let
 * through by ours, when GitHub told us. Undefined where nobody has said.
 */
export function queuedSinceMs(record: JobRecord): number | undefined {
  if (countedAs(record) !== 'queued') return undefined;
  const { webhook, rest, gated } = record;
  const toldMs = webhook?.status === 'queued' ? webhook.atMs : undefined;
  return gated ? toldMs : (believed(webhook, rest)?.sinceMs ?? toldMs);
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

/** What was said of a job. `gone`: REST answered 404. */
export type SeenStatus = JobStatus | 'gone';

/** The word that counts of one of the two who tell of a job, webhooks or REST. */
export interface Register {
  readonly status: SeenStatus;
  /** When we heard it (webhook) or asked for it (REST), in ms since 1970 by our clock. */
  readonly atMs: number;
  /** Since when it is so, in ms since 1970 by GitHub's clock; undefined where GitHub does not say. */
  readonly sinceMs: number | undefined;
}

/**
 * REST lags behind the webhooks: what was asked less than this after a webhook may still be the state before it
 * (github-aws-runners/terraform-aws-github-runner#2459).
 */
export const restLagMs = 10_000;

/**
 * Of two words of webhooks: the one further on, whichever came first, then the newer one.
 * A greatest element by a total order, so that order and doubles do not matter.
 */
export function furthest(a: Register | undefined, b: Register | undefined): Register | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const further = rank(a) - rank(b) || a.atMs - b.atMs || since(a) - since(b);
  return further >= 0 ? a : b;
}

/** Of two words of REST: the one asked for last, since REST may take a job back. `completed` stays. */
export function latest(a: Register | undefined, b: Register | undefined): Register | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const later = ended(a) - ended(b) || a.atMs - b.atMs || rank(a) - rank(b) || since(a) - since(b);
  return later >= 0 ? a : b;
}

/** Which of the two to believe. `completed` is always believed. Otherwise REST, once it cannot lag any more. */
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
