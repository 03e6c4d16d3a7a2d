/*
 * Our own clock. What outlives a process is timed in ms since 1970; all else by `performance.now()`. Neither steps:
 * what NTP does to the machine's clock while we run cannot put two events out of order.
 */

/** Now, in ms since 1970. */
export function epochNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Node lets a timer that is to take longer end after 1 ms. Some 24 days. */
export const longestTimerMs = 2 ** 31 - 1;

/** A time in ms since 1970 as readings have it: in ms of `performance.now()`. */
export function monotonicMs(epochMs: number): number {
  return epochMs - performance.timeOrigin;
}
