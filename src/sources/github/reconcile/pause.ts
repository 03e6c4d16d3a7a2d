import type { ScalerError } from '../../../errors.ts';
import { clockTime } from './clock-time.ts';

/** After so many failures in a row, of whatever was asked for, GitHub itself is taken to be in trouble. */
const failuresInARow = 3;
const troubleMs = 10_000;

/** When GitHub is to be left alone altogether. Times in ms since 1970 by our clock. */
export class Pause {
  private wantedUntilMs = 0;
  private troubleUntilMs = 0;
  private failures = 0;

  get untilMs(): number {
    return Math.max(this.wantedUntilMs, this.troubleUntilMs);
  }

  /** GitHub answered. */
  succeeded(): void {
    this.failures = 0;
  }

  failed({ retryAfterMs }: ScalerError, nowMs: number): void {
    if (retryAfterMs !== undefined) {
      this.wantedUntilMs = Math.max(this.wantedUntilMs, nowMs + retryAfterMs);
      return;
    }
    this.failures += 1;
    if (this.failures >= failuresInARow) this.troubleUntilMs = nowMs + troubleMs;
  }

  /** Why GitHub is not asked now, for an error's message; undefined where it may be. */
  why(nowMs: number): string | undefined {
    if (this.wantedUntilMs <= nowMs) return undefined;
    const time = clockTime(this.wantedUntilMs);
    return `GitHub wants no requests until ${time}, for its rate limit or a fault of its own`;
  }
}
