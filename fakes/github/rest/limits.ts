import { type Answer, refusal } from './answer.ts';
import type { Caller } from './caller.ts';

const hourMs = 3_600_000;
const documentation = 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api';

interface Bucket {
  limit: number;
  used: number;
  resetAtMs: number;
}

/** The primary rate limit: requests in an hour, for each credential. */
export class RateLimits {
  /** By default an Enterprise Server has no limits (docs.github.com, "Configuring rate limits"). */
  readonly enabled: boolean;
  private readonly now: () => number;
  private readonly buckets = new Map<string, Bucket>();
  private forced: { limit: number; remaining: number; resetAtMs: number } | undefined;

  constructor(options: { now: () => number; enabled: boolean }) {
    this.now = options.now;
    this.enabled = options.enabled;
  }

  /** For every credential, also ones not seen yet, until the reset. */
  set({ limit, remaining, resetSeconds }: { limit: number; remaining: number; resetSeconds: number }): void {
    this.forced = { limit, remaining, resetAtMs: this.now() + resetSeconds * 1000 };
    this.buckets.clear();
  }

  clear(): void {
    this.forced = undefined;
    this.buckets.clear();
  }

  count(caller: Caller): void {
    const bucket = this.bucketOf(caller);
    bucket.used = Math.min(bucket.limit, bucket.used + 1);
  }

  /** The refusal if nothing is left. */
  refusalOf(caller: Caller): Answer | undefined {
    if (!this.enabled) return undefined;
    const bucket = this.bucketOf(caller);
    if (bucket.used < bucket.limit) return undefined;
    // It takes its headers now. By the time it is sent, the hour may have started again.
    return refusal(403, `API rate limit exceeded for ${caller.name}.`, this.headers(caller), documentation);
  }

  /** GitHub's `rate-limit`. */
  overview(caller: Caller): { limit: number; remaining: number; reset: number; used: number } {
    const { limit, used, resetAtMs } = this.bucketOf(caller);
    return { limit, remaining: limit - used, reset: Math.ceil(resetAtMs / 1000), used };
  }

  headers(caller: Caller): Record<string, string> {
    if (!this.enabled) return {};
    const { limit, remaining, reset, used } = this.overview(caller);
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-reset': String(reset),
      'x-ratelimit-used': String(used),
      'x-ratelimit-resource': 'core',
    };
  }

  private bucketOf(caller: Caller): Bucket {
    const now = this.now();
    const known = this.buckets.get(caller.name);
    if (known !== undefined && known.resetAtMs > now) return known;
    const { forced } = this;
    const bucket =
      forced !== undefined && forced.resetAtMs > now
        ? { limit: forced.limit, used: forced.limit - forced.remaining, resetAtMs: forced.resetAtMs }
        : { limit: 5000, used: 0, resetAtMs: now + hourMs };
    this.buckets.set(caller.name, bucket);
    return bucket;
  }
}

/** The refusal by the secondary limit. It may say how long to wait. */
export function secondaryRefusal(retryAfterSeconds: number | undefined): Answer {
  return refusal(
    403,
    'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
    `${documentation}#about-secondary-rate-limits`,
  );
}
