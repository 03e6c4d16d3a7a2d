import type { RateLimits } from './rest/limits.ts';

interface StatusFault {
  readonly path: RegExp;
  readonly statusCode: number;
  left: number;
}

/** What is wrong with REST. Webhooks go on: their faults are their own. */
export class Faults {
  /** Every request is answered 503, or with this status. */
  down: boolean | number = false;
  /** No request is ever answered. */
  hang = false;
  /** Every connection is reset. */
  reset = false;
  /** Every answer is a page for people instead of JSON. */
  garbage = false;
  /** How many times, before a later page of runs is served, the first run of that list is completed. */
  drift = 0;
  /** REST shows a change only this long after it was made, in ms; for changes made from now on. */
  lagMs = 0;
  private readonly limits: RateLimits;
  private statuses: StatusFault[] = [];
  private secondaryLeft = 0;
  private retryAfterSeconds: number | undefined;

  constructor(limits: RateLimits) {
    this.limits = limits;
  }

  /** The primary limit of every credential until the reset; none `remaining` is the real 403. */
  rateLimit(limit: { limit: number; remaining: number; resetSeconds: number }): void {
    this.limits.set(limit);
  }

  /** The next requests are refused for the secondary limit. */
  secondary(options: { retryAfterSeconds?: number; times?: number } = {}): void {
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.secondaryLeft = options.times ?? Number.POSITIVE_INFINITY;
  }

  /** Requests whose path (with its query) matches are answered with this status. */
  status(path: RegExp | string, statusCode: number, times = Number.POSITIVE_INFINITY): void {
    const pattern = typeof path === 'string' ? new RegExp(path) : path;
    this.statuses.push({ path: pattern, statusCode, left: times });
  }

  clear(): void {
    this.down = false;
    this.hang = false;
    this.reset = false;
    this.garbage = false;
    this.drift = 0;
    this.lagMs = 0;
    this.statuses = [];
    this.secondaryLeft = 0;
    this.limits.clear();
  }

  takeSecondary(): { retryAfterSeconds: number | undefined } | undefined {
    if (this.secondaryLeft <= 0) return undefined;
    this.secondaryLeft--;
    return { retryAfterSeconds: this.retryAfterSeconds };
  }

  takeStatus(path: string): number | undefined {
    const fault = this.statuses.find((each) => each.left > 0 && each.path.test(path));
    if (fault === undefined) return undefined;
    fault.left--;
    return fault.statusCode;
  }

  takeDrift(): boolean {
    if (this.drift <= 0) return false;
    this.drift--;
    return true;
  }
}
