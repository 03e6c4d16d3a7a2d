import type { Pace } from '../source.ts';

/** Events wake the subject; this is for items that expire, and costs nothing. */
const readMs = 10_000;

export function pace(): Pace {
  return { nextReadMs: readMs, watch: false };
}
