import { describe, expect, it } from 'vitest';
import { answerTurn, TurnBatch } from '../../../../../src/sources/kafka/upstream/turns.ts';

describe('what a large read makes its subjects ask', () => {
  /** Each has its answer worked off, and then asks. Returns the sizes of the requests. */
  async function requestsOf(count: number): Promise<number[]> {
    const sizes: number[] = [];
    const batch = new TurnBatch<number, number>(async (asked) => {
      sizes.push(asked.length);
      for (const { item, resolve } of asked) resolve(item);
    });
    const items = Array.from({ length: count }, (_, item) => item);
    const answers = items.map(async (item) => {
      await answerTurn();
      return batch.ask(item);
    });
    expect(await Promise.all(answers)).toEqual(items);
    return sizes;
  }

  it.each([
    [99, [99]],
    [100, [100]],
    [101, [101]],
    [1000, [1000]],
    [2500, [1000, 1000, 500]],
  ])('goes out together: %i of them', async (count, sizes) => {
    expect(await requestsOf(count)).toEqual(sizes);
  });

  it('never waits for more than are still to come', async () => {
    expect(await Promise.all([requestsOf(350), requestsOf(350)])).toEqual([[350], [350]]);
  });
});
