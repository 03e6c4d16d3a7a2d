import type { Oldest } from '../../source.ts';

/** Since when jobs have been queued, of which any may go first. GitHub gives seconds, so there are few times for many jobs. */
export class QueuedTimes {
  /** How many jobs have been queued since each time, in ms since 1970. */
  private readonly jobs = new Map<number, number>();
  private timed = 0;
  private oldestMs: number | undefined;

  /** A job has come, or gone. `sinceMs` undefined: nobody knows since when. */
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

  /** Of so many queued jobs. In ms since 1970. One of unknown age may be older. */
  oldestOf(queued: number): Oldest | undefined {
    return this.oldestMs === undefined ? undefined : { sinceMs: this.oldestMs, atLeast: this.timed < queued };
  }
}

function leastOf(times: Iterable<number>): number | undefined {
  let least: number | undefined;
  for (const ms of times) if (least === undefined || ms < least) least = ms;
  return least;
}
