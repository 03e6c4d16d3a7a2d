import { describe, expect, it } from 'vitest';
import type { ScalerError } from '../../../../../src/errors.ts';
import { Limits, pauseMsOf, quotaOf } from '../../../../../src/sources/github/upstream/limits.ts';

const nowMs = Date.UTC(2027, 0, 1);
const inTenMinutes = String(nowMs / 1000 + 600);
const secondary = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';

function answer(status: number, headers: Record<string, string> = {}, message = '') {
  return { status, headers: new Headers(headers), text: JSON.stringify({ message }) };
}

describe('how long an answer keeps us away', () => {
  it.each<[string, ReturnType<typeof answer>, number | undefined]>([
    ['a success', answer(200, { 'x-ratelimit-remaining': '12' }), undefined],
    [
      'the last request of the hour',
      answer(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inTenMinutes }),
      600_000,
    ],
    [
      'a 304 that was the last',
      answer(304, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inTenMinutes }),
      600_000,
    ],
    ['retry-after in seconds', answer(403, { 'retry-after': '30' }, secondary), 30_000],
    ['retry-after as a date', answer(429, { 'retry-after': new Date(nowMs + 45_000).toUTCString() }), 45_000],
    [
      'retry-after goes before the reset',
      answer(403, { 'retry-after': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inTenMinutes }),
      5_000,
    ],
    [
      'the primary limit',
      answer(
        403,
        { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inTenMinutes },
        'API rate limit exceeded',
      ),
      600_000,
    ],
    ['a secondary limit without a time', answer(403, {}, secondary), 60_000],
    ['429 without a word', answer(429), 60_000],
    ['the old name of it', answer(403, {}, 'You have triggered an abuse detection mechanism'), 60_000],
    ['too many wrong logins', answer(403, {}, 'Maximum number of login attempts exceeded.'), 60_000],
    ['a missing permission', answer(403, {}, 'Resource not accessible by integration'), undefined],
    ['not found', answer(404, {}, 'Not Found'), undefined],
    ['a fault without a time', answer(502), undefined],
    ['maintenance with a time', answer(503, { 'retry-after': '120' }), 120_000],
    ['a reset that is past', answer(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }), 1_000],
    ['retry-after of a year', answer(429, { 'retry-after': '31536000' }), 7_200_000],
    ['retry-after that is no time', answer(429, { 'retry-after': 'soon' }), 60_000],
    ['retry-after on a success', answer(200, { 'retry-after': '30' }), undefined],
  ])('%s', (_, given, expected) => {
    expect(pauseMsOf(given, nowMs, 0)).toBe(expected);
  });

  it('grows with each secondary limit in a row, to half an hour, and starts again after a success', () => {
    const limits = new Limits();
    const pauses = Array.from({ length: 7 }, () => limits.take(answer(403, {}, secondary), nowMs, 0));
    expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 960_000, 1_800_000, 1_800_000]);
    limits.take(answer(200), nowMs, 0);
    expect(limits.take(answer(429), nowMs, 0)).toBe(60_000);
  });

  it('reads the reset by GitHub’s clock if ours is wrong', () => {
    const limits = new Limits();
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inTenMinutes };
    expect(limits.take(answer(403, headers), nowMs - 180_000, 180_000)).toBe(600_000);
  });

  it('stops every request until then, and says how long that is', () => {
    const limits = new Limits();
    limits.check(nowMs);
    limits.take(answer(429, { 'retry-after': '30' }), nowMs, 0);
    expect(() => limits.check(nowMs + 10_000)).toThrow(
      expect.objectContaining<Partial<ScalerError>>({ code: 'unavailable', retryAfterMs: 20_000 }),
    );
    limits.check(nowMs + 30_000);
  });
});

describe('the quota', () => {
  it('comes from the headers, with its reset by our clock', () => {
    const headers = {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '4990',
      'x-ratelimit-reset': '1000',
    };
    expect(quotaOf(new Headers(headers), 3_000)).toEqual({
      limit: 5000,
      remaining: 4990,
      resetAtMs: 997_000,
    });
  });

  it('is unknown without a limit', () => {
    expect(quotaOf(new Headers(), 0)).toBeUndefined();
  });
});
