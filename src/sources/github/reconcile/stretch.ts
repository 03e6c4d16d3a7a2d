import type { Quota } from '../upstream/api.ts';

/*
 * How reconciling makes room as GitHub's hourly limit runs short. Pure.
 */

const hourMs = 3_600_000;
/** The part of the limit that verifying may use. */
const verifyShare = 0.3;
/** With less than this part left, sweeps leave it to verification and to what triggers name. */
const holdBelow = 0.1;
/** With less than this part left, intervals grow. */
const plentyFrom = 0.5;
const mostStretch = 4;

/** What is left of the limit, from 0 to 1. Where GitHub says nothing there is no limit. */
function shareLeft(quota: Quota | undefined, nowMs: number): number {
  if (!quota || quota.limit <= 0 || nowMs >= quota.resetAtMs) return 1;
  return quota.remaining / quota.limit;
}

/** The interval as it is while plenty is left, up to four times as long when little is. */
export function stretched(intervalMs: number, quota: Quota | undefined, nowMs: number): number {
  const share = shareLeft(quota, nowMs);
  return share >= plentyFrom ? intervalMs : intervalMs * Math.min(mostStretch, plentyFrom / share);
}

/**
 * How long a job may be silent before its run is verified: at least `leastMs`, and so long that verifying every
 * open run stays within its part of the limit.
 */
export function verifyAfterMs(
  leastMs: number,
  openRuns: number,
  quota: Quota | undefined,
  nowMs: number,
): number {
  const limit = quota?.limit ?? 0;
  const affordableMs = limit > 0 ? (openRuns * hourMs) / (verifyShare * limit) : 0;
  return stretched(Math.max(leastMs, affordableMs), quota, nowMs);
}

/** Until when sweeps are held back, in ms since 1970; 0 where they are not. */
export function sweepsHeldUntilMs(quota: Quota | undefined, nowMs: number): number {
  return quota && shareLeft(quota, nowMs) < holdBelow ? quota.resetAtMs : 0;
}
