import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fairShare } from '../../../src/event-log/fair-share.ts';

it.each([
  [[], 10, 10],
  [[3, 4], 10, 10],
  [[27_000, 10], 20_000, 19_990],
  [[50, 50, 1], 21, 10],
  [[5, 5, 5], 2, 0],
])('of %j within %i is %i', (counts, most, share) => {
  expect(fairShare(counts, most)).toBe(share);
});

it('never exceeds the limit in total, and leaves those with little what they have', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 20 }), fc.nat(5000), (counts, most) => {
      const share = fairShare(counts, most);
      const kept = counts.map((count) => Math.min(count, share));
      const total = kept.reduce((sum, count) => sum + count, 0);
      expect(total).toBeLessThanOrEqual(most);
      // One more for each that wants it would be too many.
      const wanting = counts.filter((count) => count > share).length;
      if (wanting > 0) expect(total + wanting).toBeGreaterThan(most);
      for (const count of counts)
        if (count <= most / counts.length) expect(share).toBeGreaterThanOrEqual(count);
    }),
  );
});
