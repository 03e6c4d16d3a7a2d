import type { Oldest } from '../../source.ts';

/**
 * Since when jobs have been queued. They may leave in any order. GitHub's times are in seconds, so many jobs share few
 * times.
 */
export class QueuedTimes {
  /** How many jobs have been queued since each time, in ms since 1970. */
  private readonly jobs = new Map<number, number>();
  private timed = 0;
  private oldestMs: number | undefined;

  /** A job was queued (1) or left (-1). `sinceMs` is undefined if unknown. */
  add(sinceMs: number | undefined, step: 1 | -1): void {
    if (sinceMs === undefined) return;
    this.timed += step;
    const left = (this.jobs.get(sinceMs) ?? 0) + step;
    if (left > 0) {
      this.jobs.set(sinceMs, left);
      this.oldestMs = Math.min(this.oldestMs ?? sinceMs, sinceMs);
    } else {
      this.jobs.delete(sinceMs);
      if (sinceMs === this.oldestMs) this.oldestMs = leastOf(this.jobs.keys());
    }
  }

  /** The oldest of this many queued jobs, in ms since 1970. A job of unknown age may be older. */
  oldestOf(queued: number): Oldest | undefined {
    return this.oldestMs === undefined ? undefined : { sinceMs: this.oldestMs, atLeast: this.timed < queued };
  }
}

function leastOf(times: Iterable<number>): number | undefined {
  let least: number | undefined;
  for (const ms of times) if (least === undefined || ms < least) least = ms;
  return least;
}
