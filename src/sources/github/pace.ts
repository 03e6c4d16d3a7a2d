import type { Pace } from '../source.ts';

/** Events wake the subject; this is only for age: when the last reconcile was is told with each reading. */
const readMs = 30_000;

export function pace(): Pace {
  return { nextReadMs: readMs, watch: false };
}
