import { describe, expect, it } from 'vitest';
import {
  stretched,
  sweepsHeldUntilMs,
  verifyAfterMs,
} from '../../../../../src/sources/github/reconcile/agenda.ts';
import type { Quota } from '../../../../../src/sources/github/upstream/api.ts';

const nowMs = 1_000_000;
const resetAtMs = nowMs + 1000;

function left(remaining: number, limit = 5000): Quota {
  return { limit, remaining, resetAtMs };
}

describe('how intervals stretch with the quota that is left', () => {
  it.each<[string, Quota | undefined, number]>([
    ['no limit', undefined, 900],
    ['a limit of nothing', left(0, 0), 900],
    ['all left', left(5000), 900],
    ['half left', left(2500), 900],
    ['a quarter left', left(1250), 1800],
    ['an eighth left', left(625), 3600],
    ['nothing left', left(0), 3600],
    ['nothing left, but the limit began anew', { ...left(0), resetAtMs: nowMs }, 900],
  ])('%s', (_, quota, expected) => {
    expect(stretched(900, quota, nowMs)).toBe(expected);
  });
});

describe('how long a job may be silent', () => {
  it.each<[string, number, Quota | undefined, number]>([
    ['no limit', 10_000, undefined, 300_000],
    ['few open runs', 10, left(5000), 300_000],
    ['125 runs at 300 s are all that 30 % of 5000 an hour allow', 125, left(5000), 300_000],
    ['200 runs', 200, left(5000), 480_000],
    ['200 runs with a higher limit', 200, left(15_000, 15_000), 300_000],
    ['200 runs with a quarter left', 200, left(1250), 960_000],
  ])('%s', (_, openRuns, quota, expected) => {
    expect(verifyAfterMs(300_000, openRuns, quota, nowMs)).toBe(expected);
  });
});

describe('when sweeps are held back', () => {
  it.each<[string, Quota | undefined, number]>([
    ['no limit', undefined, 0],
    ['a tenth left', left(500), 0],
    ['less than a tenth left', left(499), resetAtMs],
    ['nothing left, but the limit began anew', { ...left(0), resetAtMs: nowMs }, 0],
  ])('%s', (_, quota, expected) => {
    expect(sweepsHeldUntilMs(quota, nowMs)).toBe(expected);
  });
});
