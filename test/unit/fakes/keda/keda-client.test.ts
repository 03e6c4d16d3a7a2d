import { expect, it } from 'vitest';
import { firstReopenMs, nextReopenMs } from '../../../../fakes/keda/keda-client.ts';

it('waits 2, 4, 8, 16, 32 and then 60 seconds before a stream is opened again, as KEDA does', () => {
  const waits = [firstReopenMs];
  while (waits.length < 7) waits.push(nextReopenMs(waits.at(-1) ?? 0));
  expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});
