/** A sink that asks for more is asked again after this time all the same. */
const mostMs = 300_000;

/** The time that `Retry-After` asks for, in ms: seconds or a date (RFC 9110 §10.2.3); undefined where it says nothing. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), mostMs);
}
