import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fold, type KafkaHistory } from '../../../../../src/sources/kafka/rules/history.ts';
import { maxSamples, ratesOf } from '../../../../../src/sources/kafka/rules/rates.ts';
import { type Offsets, snapshotOf } from './offsets.ts';

type Reads = readonly (readonly [atSeconds: number, topics: Readonly<Record<string, Offsets>>])[];

function historyOf(reads: Reads): KafkaHistory | undefined {
  let history: KafkaHistory | undefined;
  for (const [atSeconds, topics] of reads) history = fold(history, snapshotOf(topics), atSeconds * 1000);
  return history;
}

function rates(...reads: Reads): [produced: number, consumed: number] | undefined {
  const found = ratesOf(historyOf(reads)?.samples ?? []);
  return found && [found.producedPerSecond, found.consumedPerSecond];
}

function interpolate(ends: readonly { atSeconds: number; end: number }[], seconds: number): number {
  const after = ends.findIndex(({ atSeconds }) => atSeconds >= seconds);
  const [a, b] = [ends[after - 1], ends[after]];
  if (a === undefined || b === undefined) return b?.end ?? 0;
  return a.end + ((b.end - a.end) * (seconds - a.atSeconds)) / (b.atSeconds - a.atSeconds);
}

describe('rates', () => {
  it.each<[string, ReturnType<typeof rates>, ReturnType<typeof rates>]>([
    ['one read', rates([0, { a: [[0, 9, 1]] }]), undefined],
    ['two reads at once', rates([0, { a: [[0, 9, 1]] }], [0, { a: [[0, 99, 1]] }]), undefined],
    ['nothing moves', rates([0, { a: [[0, 9, 1]] }], [5, { a: [[0, 9, 1]] }]), [0, 0]],
    ['both move', rates([0, { a: [[0, 100, 10]] }], [10, { a: [[0, 300, 60]] }]), [20, 5]],
    [
      'summed over partitions',
      rates(
        [
          0,
          {
            a: [
              [0, 0, 0],
              [0, 0, 0],
            ],
          },
        ],
        [
          1,
          {
            a: [
              [0, 4, 1],
              [0, 6, 2],
            ],
          },
        ],
      ),
      [10, 3],
    ],
    [
      'the mean of several reads',
      rates([0, { a: [[0, 0, 0]] }], [1, { a: [[0, 9, 0]] }], [3, { a: [[0, 9, 6]] }]),
      [3, 2],
    ],
    ['a topic created again below', rates([0, { a: [[0, 500, 400]] }], [1, { a: [[0, 3, 0]] }]), [0, 0]],
    [
      'and then goes on',
      rates([0, { a: [[0, 500, 400]] }], [1, { a: [[0, 3, 0]] }], [2, { a: [[0, 7, 2]] }]),
      [2, 1],
    ],
    ['a topic that appears full', rates([0, {}], [1, { a: [[0, 900, 900]] }]), [0, 0]],
    ['a topic that goes', rates([0, { a: [[0, 900, 900]] }], [1, {}]), [0, 0]],
    [
      'a partition that appears',
      rates(
        [0, { a: [[0, 1, 1]] }],
        [
          1,
          {
            a: [
              [0, 2, 2],
              [0, 900, 900],
            ],
          },
        ],
      ),
      [1, 1],
    ],
    ['a first commit is no work', rates([0, { a: [[0, 900, null]] }], [1, { a: [[0, 900, 800]] }]), [0, 0]],
    ['a commit that expires', rates([0, { a: [[0, 900, 800]] }], [1, { a: [[0, 900, null]] }]), [0, 0]],
    ['a commit moved back', rates([0, { a: [[0, 900, 800]] }], [1, { a: [[0, 900, 3]] }]), [0, 0]],
    [
      'reads further apart than the window',
      rates([0, { a: [[0, 0, 0]] }], [100, { a: [[0, 500, 100]] }]),
      [5, 1],
    ],
    [
      'what is older than a minute is out',
      rates([0, { a: [[0, 0, 0]] }], [40, { a: [[0, 4000, 0]] }], [100, { a: [[0, 4060, 0]] }]),
      [1, 0],
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected);
  });

  it('are bounded in memory, and still right', () => {
    const reads: Reads = Array.from({ length: 500 }, (_, i) => [i, { a: [[0, 7 * i, 3 * i]] }]);
    expect(historyOf(reads)?.samples.length).toBeLessThanOrEqual(maxSamples);
    expect(rates(...reads)).toEqual([expect.closeTo(7, 6), expect.closeTo(3, 6)]);
  });

  it('of a group at rest need two samples, and are right when it continues', () => {
    const rest: Reads = Array.from({ length: 500 }, (_, i) => [i, { a: [[0, 7, 7]] }]);
    expect(historyOf(rest)?.samples).toHaveLength(2);
    const after: Reads = [...rest, [500, { a: [[0, 127, 67]] }]];
    expect(rates(...after)).toEqual([2, 1]);
    const later: Reads = [...after, [530, { a: [[0, 127, 127]] }]];
    expect(rates(...later)).toEqual([2, 2]);
  });

  it('equal those of all reads, within the change of five seconds', () => {
    const steps = fc.array(
      fc.record({ seconds: fc.integer({ min: 1, max: 5 }), moved: fc.constantFrom(0, 0, 0, 5, 90) }),
      { minLength: 2, maxLength: 100 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        let [atSeconds, end] = [0, 0];
        const ends = [{ atSeconds, end }];
        for (const { seconds, moved } of all) {
          atSeconds += seconds;
          end += moved;
          ends.push({ atSeconds, end });
        }
        const [produced] =
          rates(...ends.map((one) => [one.atSeconds, { a: [[0, one.end, 0]] }] as const)) ?? [];
        const fromSeconds = Math.max(0, atSeconds - 60);
        const at = (seconds: number) => interpolate(ends, seconds);
        const exact = (end - at(fromSeconds)) / (atSeconds - fromSeconds);
        const least = (end - at(fromSeconds + 10)) / (atSeconds - fromSeconds);
        const most = (end - at(fromSeconds - 10)) / (atSeconds - fromSeconds);
        expect(produced).toBeGreaterThanOrEqual(Math.min(least, exact) - 1e-9);
        expect(produced).toBeLessThanOrEqual(Math.max(most, exact) + 1e-9);
      }),
    );
  });

  it('are never negative, whatever happens to the topic', () => {
    const offsets = fc.tuple(fc.constant(0), fc.nat(1000), fc.option(fc.nat(1000)));
    const topic = fc.dictionary(fc.constantFrom('a', 'b'), fc.array(offsets, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(topic, { minLength: 2, maxLength: 70 }), (topics) => {
        const found = rates(...topics.map((at, i) => [i, at] as const));
        expect(Math.min(...(found ?? [0]))).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
