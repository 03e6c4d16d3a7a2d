import { expect, it } from 'vitest';
import { retryAfterMs } from '../../../src/decisions/retry-after.ts';

const nowMs = Date.UTC(2026, 0, 15, 9, 30);

it.each([
  [null, undefined],
  ['', undefined],
  ['soon', undefined],
  ['-3', expect.any(Number)],
  ['0', 0],
  ['7', 7_000],
  [' 7 ', 7_000],
  ['Thu, 15 Jan 2026 09:30:05 GMT', 5_000],
  ['Thu, 15 Jan 2026 09:29:00 GMT', 0],
  ['86400', 300_000],
  ['9'.repeat(400), 300_000],
])('Retry-After: %s', (header, expected) => {
  expect(retryAfterMs(header, nowMs)).toEqual(expected);
});
