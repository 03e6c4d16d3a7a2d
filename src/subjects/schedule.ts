/*
 * When a subject is read. All times are ms of the monotonic clock.
 */

/**
 * Reads by the clock fall on a beat that the subjects of a connection share. So they are due together, and share one
 * request to each broker. Returns the beat nearest to `intervalMs` from now, never the present one.
 */
export function nextOnBeat(nowMs: number, intervalMs: number, beatMs: number): number {
  if (beatMs <= 0) return nowMs + intervalMs;
  const nearest = Math.round((nowMs + intervalMs) / beatMs) * beatMs;
  return nearest - nowMs > beatMs / 4 ? nearest : nearest + beatMs;
}

/**
 * Moves the reads of subjects that started together apart, once and at random. Otherwise they would stay together forever.
 * `part` of an interval is in [0, 1].
 */
export function spreadMs(intervalMs: number, leastMs: number, part: number): number {
  return leastMs >= intervalMs ? intervalMs : leastMs + (intervalMs - leastMs) * part;
}

/** How long a refused watch is left alone: a moved leader is known in seconds, a missing right stays missing. */
export function watchRetryMs(attempts: number): number {
  return Math.min(5_000 * 2 ** Math.min(attempts - 1, 16), 60_000);
}
