import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMetric } from '../../../../../src/scaling/metric.ts';
import type { KafkaParams } from '../../../../../src/sources/kafka/params.ts';
import { backlog } from '../../../../../src/sources/kafka/rules/backlog.ts';
import { fold, type KafkaHistory } from '../../../../../src/sources/kafka/rules/history.ts';
import type { KafkaSnapshot, PartitionOffsets } from '../../../../../src/sources/kafka/rules/snapshot.ts';
import type { Detail } from '../../../../../src/sources/source.ts';
import { kedaBacklog } from './keda-oracle.ts';
import { paramsOf, topicRead } from './offsets.ts';

type Shape = Omit<PartitionOffsets, 'partition'>;

const nowMs = 1_000_000;

/** Any answer a broker could give. Now and then with commits beyond the end, or before the log start. */
const anyPartition: fc.Arbitrary<Shape> = fc
  .record({
    logStart: fc.nat(300),
    length: fc.nat(300),
    behind: fc.option(fc.oneof({ weight: 19, arbitrary: fc.nat(600) }, fc.integer({ min: -100, max: 0 })), {
      nil: undefined,
    }),
  })
  .map(({ logStart, length, behind }) => {
    const end = logStart + length;
    return { logStart, end, committed: behind === undefined ? undefined : Math.max(0, end - behind) };
  });

const anyPartitions = fc.array(anyPartition, { minLength: 1, maxLength: 12 });

const anyParams: fc.Arbitrary<KafkaParams> = fc
  .record({
    lagThreshold: fc.integer({ min: 1, max: 50 }),
    activationLagThreshold: fc.nat(60),
    offsetResetPolicy: fc.constantFrom('latest' as const, 'earliest' as const),
    scaleToZeroOnInvalidOffset: fc.boolean(),
    excludePersistentLag: fc.boolean(),
    shape: fc.constantFrom<Partial<KafkaParams>>(
      {},
      { allowIdleConsumers: true },
      { limitToPartitionsWithLag: true },
      { ensureEvenDistributionOfPartitions: true },
    ),
  })
  .map(({ shape, ...rest }) => paramsOf({ ...rest, ...shape }));

function snapshotOf(shapes: readonly Shape[]): KafkaSnapshot {
  const partitions = shapes.map((shape, partition) => ({ ...shape, partition }));
  return { topics: new Map([['orders', topicRead(partitions)]]) };
}

function read(params: KafkaParams, shapes: readonly Shape[], history?: KafkaHistory) {
  const snapshot = snapshotOf(shapes);
  const reading = backlog(params, snapshot, fold(history, snapshot, nowMs), nowMs);
  // Only a commit beyond the end, seen for the first time, makes it unknown.
  const isBeyond = shapes.some(({ end, committed = 0 }) => committed > end);
  if (reading.kind === 'unknown' && isBeyond) fc.pre(false);
  if (reading.kind !== 'known') throw new Error(`expected a number, got ${reading.kind}`);
  const { value, active } = toMetric(reading, params.lagThreshold);
  const { working, detail, ...rest } = reading;
  return { ...rest, value, active, detail: detail(), working: working?.() };
}

/** The partitions so long ago that lag which has not moved since counts as persistent. */
function earlier(shapes: readonly Shape[]): KafkaHistory {
  return fold(undefined, snapshotOf(shapes), nowMs - 600_000);
}

/** The most replicas that have work, by KEDA's documentation of the two keys. */
function cap(params: KafkaParams, { partitions, laggingPartitions }: Detail): number {
  if (params.limitToPartitionsWithLag) return Number(laggingPartitions);
  const idle = params.allowIdleConsumers && !params.ensureEvenDistributionOfPartitions;
  return idle ? Number.POSITIVE_INFINITY : Number(partitions);
}

describe('for whatever a broker says', () => {
  it('the number is finite, never negative, never above cap × threshold', () => {
    fc.assert(
      fc.property(anyParams, anyPartitions, anyPartitions, (params, before, shapes) => {
        const { value, detail } = read(params, shapes, earlier(before));
        expect(Number.isFinite(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(cap(params, detail) * params.lagThreshold);
      }),
    );
  });

  it('more records never make the number smaller, nor an active trigger inactive', () => {
    fc.assert(
      fc.property(
        anyParams,
        anyPartitions,
        fc.nat(11),
        fc.integer({ min: 1, max: 500 }),
        (params, shapes, at, more) => {
          const grown = shapes.map((shape, i) =>
            i === at % shapes.length ? { ...shape, end: shape.end + more } : shape,
          );
          const before = read(params, shapes);
          const after = read(params, grown);
          expect(after.value).toBeGreaterThanOrEqual(before.value);
          expect(after.active || !before.active).toBe(true);
        },
      ),
    );
  });

  it('its parts are complete and add up to the number', () => {
    fc.assert(
      fc.property(anyParams, anyPartitions, anyPartitions, (params, before, shapes) => {
        const { items, working } = read(params, shapes, earlier(before));
        expect(working?.rows.reduce((sum, row) => sum + row.items, 0)).toBe(items);
        expect(working?.rows).toHaveLength(shapes.length);
      }),
    );
  });

  it('a later commit never makes the number larger', () => {
    fc.assert(
      fc.property(anyParams, anyPartitions, fc.integer({ min: 1, max: 500 }), (params, shapes, more) => {
        const moved = shapes.map((shape) =>
          shape.committed === undefined ? shape : { ...shape, committed: shape.committed + more },
        );
        expect(read(params, moved).value).toBeLessThanOrEqual(read(params, shapes).value);
      }),
    );
  });

  it('activity follows the activation threshold over all lag, and a number above 0 means lag', () => {
    fc.assert(
      fc.property(anyParams, anyPartitions, anyPartitions, (params, before, shapes) => {
        const { value, active, detail } = read(params, shapes, earlier(before));
        const all = Number(detail['lag']) + Number(detail['persistentLag']);
        expect(active).toBe(all > params.activationLagThreshold);
        if (value > 0) expect(all).toBeGreaterThan(0);
        if (params.activationLagThreshold === 0 && value > 0) expect(active).toBe(true);
      }),
    );
  });

  it('the order of partitions does not matter', () => {
    const shuffled = anyPartitions.chain((shapes) =>
      fc.tuple(fc.constant(shapes), fc.shuffledSubarray(shapes, { minLength: shapes.length })),
    );
    fc.assert(
      fc.property(anyParams, shuffled, (params, [shapes, other]) => {
        const { working: _, ...reading } = read(params, other);
        const { working: __, ...same } = read(params, shapes);
        expect(reading).toEqual(same);
      }),
    );
  });

  it('excluding persistent lag only makes the number smaller, and does not change activity', () => {
    fc.assert(
      fc.property(anyParams, anyPartitions, (params, shapes) => {
        const history = earlier(shapes);
        const all = read({ ...params, excludePersistentLag: false }, shapes, history);
        const fresh = read({ ...params, excludePersistentLag: true }, shapes, history);
        expect(fresh.value).toBeLessThanOrEqual(all.value);
        expect(fresh.active).toBe(all.active);
      }),
    );
  });
});

describe('a commit beyond the end of the log', () => {
  const beyond = fc
    .record({ logStart: fc.nat(50), length: fc.nat(50), beyond: fc.integer({ min: 1, max: 100 }) })
    .map(({ logStart, length, beyond }): Shape => {
      const end = logStart + length;
      return { logStart, end, committed: end + beyond };
    });

  it('is unknown at the first read, and later counts like no commit', () => {
    fc.assert(
      fc.property(anyParams, fc.array(beyond, { minLength: 1, maxLength: 5 }), (params, shapes) => {
        const snapshot = snapshotOf(shapes);
        const once = fold(undefined, snapshot, nowMs - 1000);
        expect(backlog(params, snapshot, once, nowMs - 1000).kind).toBe('unknown');
        const { value, active } = read(params, shapes, once);
        const without = shapes.map((shape) => ({ ...shape, committed: undefined }));
        const { value: valueWithout, active: activeWithout } = read(params, without);
        expect({ value, active }).toEqual({ value: valueWithout, active: activeWithout });
      }),
    );
  });
});

describe("KEDA's own algorithm gives the same, except for our decisions", () => {
  /** Commits within the log, so that decisions (d) and (e) do not matter. */
  const plainPartitions = fc.array(
    fc
      .record({
        logStart: fc.nat(300),
        length: fc.nat(300),
        behind: fc.option(fc.nat(300), { nil: undefined }),
      })
      .map(({ logStart, length, behind }): Shape => {
        const end = logStart + length;
        const committed = behind === undefined ? undefined : Math.max(logStart, end - behind);
        return { logStart, end, committed };
      }),
    { minLength: 1, maxLength: 12 },
  );

  const compare = (params: KafkaParams, shapes: readonly Shape[]) => {
    const ours = read({ ...params, excludePersistentLag: false }, shapes);
    const theirs = kedaBacklog(
      params,
      shapes.map((shape, partition) => ({ ...shape, partition })),
    );
    return { ours, theirs };
  };

  it('always for activity', () => {
    fc.assert(
      fc.property(anyParams, plainPartitions, (params, shapes) => {
        const { ours, theirs } = compare(params, shapes);
        expect(ours.active).toBe(theirs.active);
      }),
    );
  });

  it('for the number, except (a) the cap and (f) an even distribution of nothing', () => {
    fc.assert(
      fc.property(anyParams, plainPartitions, (params, shapes) => {
        const { ours, theirs } = compare(params, shapes);
        const most = cap(params, ours.detail) * params.lagThreshold;
        const evenOfNothing = params.ensureEvenDistributionOfPartitions && ours.detail['lag'] === 0;
        expect(ours.value).toBe(evenOfNothing ? 0 : Math.min(theirs.metric, most));
        // (a) concerns less than one replica: KEDA is never a whole threshold above.
        expect(theirs.metric).toBeLessThan(most + params.lagThreshold);
      }),
    );
  });
});
