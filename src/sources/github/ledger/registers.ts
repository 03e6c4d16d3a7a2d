import { type JobStatus, rankOf } from '../job.ts';

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

/** The one of the two to believe. `completed` is believed whoever says it; else REST, once it cannot lag any more. */
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
