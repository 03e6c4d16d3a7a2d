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
  return greater(a, b, (x) => [seenRank(x.status), x.atMs, x.sinceMs ?? 0]);
}

/** Of two words of REST: the one asked for last, since REST may take a job back. `completed` stays. */
export function latest(a: Register | undefined, b: Register | undefined): Register | undefined {
  return greater(a, b, (x) => [x.status === 'completed' ? 1 : 0, x.atMs, seenRank(x.status), x.sinceMs ?? 0]);
}

/** The one of the two to believe. `completed` is believed whoever says it; else REST, once it cannot lag any more. */
export function believed(webhook: Register | undefined, rest: Register | undefined): Register | undefined {
  if (webhook === undefined || rest === undefined) return webhook ?? rest;
  if (webhook.status === 'completed') return webhook;
  if (rest.status === 'completed') return rest;
  return rest.atMs > webhook.atMs + restLagMs ? rest : webhook;
}

function seenRank(status: SeenStatus): number {
  return status === 'gone' ? -1 : rankOf(status);
}

function greater(
  a: Register | undefined,
  b: Register | undefined,
  orderOf: (register: Register) => readonly number[],
): Register | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const orderOfB = orderOf(b);
  for (const [place, value] of orderOf(a).entries()) {
    const other = orderOfB[place] ?? 0;
    if (value !== other) return value > other ? a : b;
  }
  return a;
}
