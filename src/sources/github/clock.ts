/*
 * Every time of this source is in ms since 1970, since what a webhook says outlives a process. Our own clock
 * never steps: what NTP does to the machine's while we run cannot put two sightings of a job out of order.
 */

/** Now by our clock, in ms since 1970. */
export function epochNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** A time of our clock as monitors have it: in ms of `performance.now()`. */
export function monotonicMs(epochMs: number): number {
  return epochMs - performance.timeOrigin;
}
