const minuteMs = 60_000;
const minutes = 60;
/** Of 30 days. */
const monthMs = 30 * 24 * 60 * minuteMs;

/** What a month would bring, if it went on like the last hour, or like the time since the start where that is less. */
export class MonthlyEstimate {
  private readonly startedAtMs: number;
  /** A ring: how often in each of the last minutes. */
  private readonly counts = new Array<number>(minutes).fill(0);
  private minute: number;

  constructor(nowMs: number) {
    this.startedAtMs = nowMs;
    this.minute = this.minuteOf(nowMs);
  }

  count(nowMs: number): void {
    this.moveTo(nowMs);
    const place = this.minute % minutes;
    this.counts[place] = (this.counts[place] ?? 0) + 1;
  }

  perMonth(nowMs: number): number {
    this.moveTo(nowMs);
    const sinceStartMs = nowMs - this.startedAtMs;
    // The minute that is not over counts for as long as it is.
    const hourMs = (minutes - 1) * minuteMs + (sinceStartMs % minuteMs);
    const seenMs = Math.max(Math.min(sinceStartMs, hourMs), minuteMs);
    const counted = this.counts.reduce((sum, count) => sum + count, 0);
    return Math.round((counted * monthMs) / seenMs);
  }

  private minuteOf(nowMs: number): number {
    return Math.floor((nowMs - this.startedAtMs) / minuteMs);
  }

  /** Empties the minutes that nothing was counted in. */
  private moveTo(nowMs: number): void {
    const minute = this.minuteOf(nowMs);
    const skipped = Math.min(minute - this.minute, minutes);
    for (let i = 1; i <= skipped; i += 1) this.counts[(this.minute + i) % minutes] = 0;
    this.minute = Math.max(this.minute, minute);
  }
}
