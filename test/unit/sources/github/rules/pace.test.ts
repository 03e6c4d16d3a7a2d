import { describe, expect, it } from 'vitest';
import { leastStalenessSeconds } from '../../../../../src/sources/github/rules/backlog.ts';

const repos = (count: number) => Array.from({ length: count }, (_, i) => `r${i}`);

describe('the least staleness that a trigger may ask for', () => {
  it.each([
    [1, {}, 60],
    [10, {}, 144],
    [100, {}, 1_440],
    [200, {}, 1_800],
    [0, {}, 1_440],
    [0, { repos: repos(2) }, 60],
    [1, { sweepSeconds: 1 }, 2],
    [0, { sweepSeconds: 60 }, 120],
  ])('of %i repositories under %j is %i s', (count, config, seconds) => {
    expect(leastStalenessSeconds({ repos: repos(count) }, { sweepSeconds: 900, ...config })).toBe(seconds);
  });

  it('costs at most a tenth of the hourly limit, unless sweeps cost it anyway', () => {
    for (const count of [1, 5, 50, 100]) {
      const seconds = leastStalenessSeconds({ repos: repos(count) }, { sweepSeconds: 900 });
      expect((count * 2 * 3_600) / seconds).toBeLessThanOrEqual(500);
    }
  });
});
