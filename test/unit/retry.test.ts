import { describe, expect, it } from 'vitest';
import { backoffMs, retryAfterMs } from '../../src/retry.ts';

describe('backoffMs', () => {
  it('doubles from one second to the most', () => {
    const failures = [1, 2, 3, 4, 5, 6, 7, 1_000];
    expect(failures.map((count) => backoffMs(count, 0.5))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect([6, 7, 1_000].map((count) => backoffMs(count, 0.5, 60_000))).toEqual([32_000, 60_000, 60_000]);
  });

  it('varies by a fifth', () => {
    expect(backoffMs(1, 0)).toBe(800);
    expect(backoffMs(9, 1)).toBeCloseTo(36_000);
  });
});

const nowMs = Date.UTC(2026, 0, 15, 9, 30);

it.each([
  [undefined, undefined],
  [null, undefined],
  ['', undefined],
  ['soon', undefined],
  ['0', 0],
  ['7', 7_000],
  [' 7 ', 7_000],
  ['Thu, 15 Jan 2026 09:30:05 GMT', 5_000],
  ['Thu, 15 Jan 2026 09:29:00 GMT', 0],
  ['86400', 86_400_000],
  ['9'.repeat(400), Number.POSITIVE_INFINITY],
])('Retry-After: %s', (header, expected) => {
  expect(retryAfterMs(header, nowMs)).toBe(expected);
});
