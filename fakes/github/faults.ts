import type { RateLimits } from './rest/limits.ts';

interface StatusFault {
  readonly path: RegExp;
  readonly statusCode: number;
  left: number;
}

/** The faults of REST. Webhooks have their own. */
export class Faults {
  /** Every request gets 503, or this status. */
  down: boolean | number = false;
  /** No request ever gets an answer. */
  hang = false;
  /** Every connection is reset. */
  reset = false;
  /** Every answer is an HTML page instead of JSON. */
  garbage = false;
  /** How many times the first run of a list completes just before a later page of the list is served. */
  drift = 0;
  /** How much later REST shows a change than it was made, in ms. Only for later changes. */
  lagMs = 0;
  private readonly limits: RateLimits;
  private statuses: StatusFault[] = [];
  private secondaryLeft = 0;
  private retryAfterSeconds: number | undefined;

  constructor(limits: RateLimits) {
    this.limits = limits;
  }

  /** Sets the primary limit of every credential until the reset. With none `remaining`, requests get the real 403. */
  rateLimit(limit: { limit: number; remaining: number; resetSeconds: number }): void {
    this.limits.set(limit);
  }

  /** The next requests are refused by the secondary limit. */
  secondary(options: { retryAfterSeconds?: number; times?: number } = {}): void {
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.secondaryLeft = options.times ?? Number.POSITIVE_INFINITY;
  }

  /** Requests whose path (with query) matches get this status. */
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
