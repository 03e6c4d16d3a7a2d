import { describe, expect, it } from 'vitest';
import { Interest } from '../../../../../src/sources/github/reconcile/interest.ts';

const minuteMs = 60_000;
const holding = (interest: Interest, ...names: string[]) => [...interest.holding(names)].sort();

describe('live subjects', () => {
  it('are woken by the names they contain, each once', () => {
    const interest = new Interest();
    interest.need(['a/web'], 0);
    interest.need(['a/api', 'a/web'], 0);
    interest.need([], 0);
    expect(holding(interest, 'a/web')).toEqual(['*', 'a/api,a/web', 'a/web']);
    expect(holding(interest, 'a/api')).toEqual(['*', 'a/api,a/web']);
    expect(holding(interest, 'a/api', 'a/web')).toEqual(['*', 'a/api,a/web', 'a/web']);
    expect(holding(interest, 'a/other')).toEqual(['*']);
  });

  it('are forgotten ten minutes after they were last read', () => {
    const interest = new Interest();
    interest.need(['a/web'], 0);
    interest.need([], 0);
    interest.need(['a/web'], 9 * minuteMs);
    interest.need(['a/api'], 11 * minuteMs);
    expect(holding(interest, 'a/web')).toEqual(['a/web']);
    interest.need(['a/api'], 20 * minuteMs);
    expect(holding(interest, 'a/web')).toEqual([]);
    expect(holding(interest, 'a/api')).toEqual(['a/api']);
    interest.need([], 20 * minuteMs);
    expect(holding(interest, 'a/web')).toEqual(['*']);
  });

  it('need their repositories swept twice within their limit, the smallest one', () => {
    const interest = new Interest();
    expect(interest.need(['a/web'], 0, 60_000)).toBe(true);
    expect(interest.need(['a/web'], 1, 60_000)).toBe(false);
    expect(interest.need(['a/api', 'a/web'], 2, 20_000)).toBe(true);
    expect(interest.at(2)).toMatchObject({ shortestNamedMs: 10_000, ownerMs: Number.POSITIVE_INFINITY });
    expect(Object.fromEntries(interest.at(2).named)).toEqual({ 'a/web': 10_000, 'a/api': 10_000 });
    expect(interest.need(['a/api', 'a/web'], 3, 80_000)).toBe(false);
    expect(interest.need([], 3, 40_000)).toBe(true);
    expect(interest.at(3)).toMatchObject({ shortestNamedMs: 30_000, ownerMs: 20_000 });
    expect(interest.need(['a/web'], 4, 50_000)).toBe(true);
  });
});
