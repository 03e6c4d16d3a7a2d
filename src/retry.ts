/*
 * When to try again what has failed.
 */

const leastMs = 1000;

/** How long to leave alone what has failed so often: one second, doubled to `mostMs`, ± 20 %. `random` is in [0, 1). */
export function backoffMs(failures: number, random: number, mostMs = 30_000): number {
  const doubled = Math.min(leastMs * 2 ** Math.min(failures - 1, 16), mostMs);
  return doubled * (0.8 + 0.4 * random);
}

/**
 * The time that `Retry-After` asks for, in ms, never negative: seconds or a date (RFC 9110 §10.2.3). Undefined where
 * it says nothing. `nowMs` is in ms since 1970, by the clock of the sender. Callers bound it: it can be anything.
 */
export function retryAfterMs(header: string | null | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
