import { retryAfterMs } from '../../../retry.ts';
import type { Quota } from './api.ts';
import { type Answer, limited, said } from './errors.ts';

/*
 * GitHub's limits: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api. A primary limit counts the
 * requests of a token in an hour. A secondary limit guards against bursts, and its answer may not say how long to wait.
 */

const leastPauseMs = 1_000;
/** The longest pause by a header. The primary limit starts again each hour. */
const mostPauseMs = 2 * 3_600_000;
/** "Wait for at least one minute", then exponentially longer. */
const secondaryPauseMs = 60_000;
const mostSecondaryPauseMs = 30 * 60_000;

/**
 * How long an answer tells us to stay away, in ms. Undefined if it does not. `strikes` is how many secondary limits were
 * met in a row.
 */
export function pauseMsOf(answer: Answer, githubNowMs: number, strikes: number): number | undefined {
  const { status, headers } = answer;
  if (status >= 400) {
    const askedMs = retryAfterMs(headers.get('retry-after'), githubNowMs);
    if (askedMs !== undefined) return within(askedMs);
  }
  if (headers.get('x-ratelimit-remaining') === '0') {
    const resetMs = secondsOf(headers.get('x-ratelimit-reset'));
    return within(resetMs === undefined ? secondaryPauseMs : resetMs - githubNowMs);
  }
  return isSecondaryLimit(answer)
    ? Math.min(secondaryPauseMs * 2 ** Math.min(strikes, 16), mostSecondaryPauseMs)
    : undefined;
}

/** A 403 may also mean a missing permission. Without headers, only the message tells them apart. */
function isSecondaryLimit(answer: Answer): boolean {
  if (answer.status === 429) return true;
  return (
    answer.status === 403 &&
    /rate limit|abuse detection|login attempts|wait a few minutes/i.test(said(answer))
  );
}

/** What is left of the hourly limit. Undefined without a limit, as on many GitHub Enterprise Servers. */
export function quotaOf(headers: Headers, clockOffsetMs: number): Quota | undefined {
  const limit = countOf(headers.get('x-ratelimit-limit'));
  const remaining = countOf(headers.get('x-ratelimit-remaining'));
  const resetMs = secondsOf(headers.get('x-ratelimit-reset'));
  if (limit === undefined || remaining === undefined || resetMs === undefined) return undefined;
  return { limit, remaining, resetAtMs: resetMs - clockOffsetMs };
}

/** When one token may send again. Each token meets its own limits. */
export class Limits {
  private pausedUntilMs = Number.NEGATIVE_INFINITY;
  private strikes = 0;

  /** Throws ScalerError `unavailable` with `retryAfterMs` while GitHub wants us to stay away. */
  check(nowMs: number): void {
    const retryAfterMs = this.pausedUntilMs - nowMs;
    if (retryAfterMs > 0) throw limited(retryAfterMs);
  }

  /** Learns from an answer. Returns the pause that begins with it, in ms. */
  take(answer: Answer, nowMs: number, clockOffsetMs: number): number | undefined {
    const pauseMs = pauseMsOf(answer, nowMs + clockOffsetMs, this.strikes);
    if (isSecondaryLimit(answer)) this.strikes += 1;
    else if (answer.status < 400) this.strikes = 0;
    if (pauseMs !== undefined) this.pausedUntilMs = Math.max(this.pausedUntilMs, nowMs + pauseMs);
    return pauseMs;
  }
}

function within(pauseMs: number): number {
  return Math.min(Math.max(pauseMs, leastPauseMs), mostPauseMs);
}

function secondsOf(header: string | null): number | undefined {
  const seconds = countOf(header);
  return seconds === undefined ? undefined : seconds * 1000;
}

function countOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
