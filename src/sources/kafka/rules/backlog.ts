import { ScalerError } from '../../../errors.ts';
import { type Detail, type Flow, type Oldest, olderOf, type Reading, type Target } from '../../source.ts';
import type { KafkaParams } from '../params.ts';
import { type Coverage, cover } from './coverage.ts';
import { committedLag, type KafkaHistory, oldestSince, stuckSinceMs } from './history.ts';
import { ratesOf } from './rates.ts';
import type { KafkaSnapshot, PartitionOffsets } from './snapshot.ts';

/**
 * The trigger's reading of a snapshot: KEDA's rules (pkg/scalers/kafka_scaler.go, getTotalLag, v2.21) with these
 * differences. The cap is a true minimum, where KEDA's whole-number division lets one replica too many through;
 * persistent lag goes by time, not by how often somebody asked; deleted records are not lag; and an even
 * distribution of no lag is none.
 *
 * `takenAtMs` is when the snapshot was read, not now: a commit cannot be seen to stand still between reads.
 */
export function backlog(
  params: KafkaParams,
  snapshot: KafkaSnapshot,
  history: KafkaHistory,
  takenAtMs: number,
): Reading {
  const covered = cover(params, snapshot, history);
  if (covered instanceof ScalerError) return { kind: 'unknown', error: covered };
  const { oldest, arrived, consumed, ...sum } = sumUp(params, covered, history, takenAtMs);
  const most = mostReplicas(params, sum);
  return {
    kind: 'known',
    items: sum.lag,
    active: sum.lag + sum.persistentLag > params.activationLagThreshold,
    ...(most !== undefined && { useful: { most, even: params.ensureEvenDistributionOfPartitions } }),
    flow: { arrived, consumed, places: sum.partitions, ...consumersOf(sum, snapshot) },
    ...(oldest && { oldest }),
    detail: () => describe(sum, history, snapshot),
  };
}

/** What the HPA aims for; the metric's name comes from the group and its topics. */
export function target({ consumerGroup, topic, topicPattern, ...params }: KafkaParams): Target {
  const topics = topicPattern === '' ? [...new Set(topic)].sort() : [topicPattern];
  return {
    perReplica: params.lagThreshold,
    activation: params.activationLagThreshold,
    nameParts: [consumerGroup, ...topics],
  };
}

interface Sum {
  /** Records that count for the number of replicas. */
  lag: number;
  /** Records that only keep the workload active. */
  persistentLag: number;
  partitions: number;
  laggingPartitions: number;
  partitionsWithoutCommit: number;
  /** Of those without: the commits that lie beyond the end of the log. */
  commitsBeyondEnd: number;
}

interface Waiting extends Sum {
  /** Where the logs end, and how far the group is, summed over the partitions of `lag`. */
  arrived: number;
  consumed: number;
  /** Of the records that are part of `lag`. */
  oldest: Oldest | undefined;
}

function sumUp(params: KafkaParams, covered: Coverage, history: KafkaHistory, takenAtMs: number): Waiting {
  const sum: Waiting = {
    lag: 0,
    persistentLag: 0,
    partitions: 0,
    laggingPartitions: 0,
    partitionsWithoutCommit: 0,
    commitsBeyondEnd: 0,
    arrived: 0,
    consumed: 0,
    oldest: undefined,
  };
  const stuckBeforeMs = takenAtMs - params.persistentLagSeconds * 1000;
  for (const { topic, partitions, lost } of covered) {
    sum.commitsBeyondEnd += lost.size;
    for (const offsets of partitions) {
      const { partition } = offsets;
      const committed = lost.has(partition) ? undefined : offsets.committed;
      sum.partitions += 1;
      if (committed === undefined) sum.partitionsWithoutCommit += 1;
      const lag =
        committed === undefined ? uncommittedLag(offsets, params) : committedLag(offsets, committed);
      const sinceMs = stuckSinceMs(history, topic, partition);
      const stuck = committed !== undefined && sinceMs !== undefined && sinceMs <= stuckBeforeMs;
      if (params.excludePersistentLag && stuck) {
        sum.persistentLag += lag;
        continue;
      }
      sum.lag += lag;
      sum.arrived += offsets.end;
      sum.consumed += committed ?? (params.offsetResetPolicy === 'latest' ? offsets.end : offsets.logStart);
      if (lag === 0) continue;
      sum.laggingPartitions += 1;
      // The one record that KEDA supposes under `latest` is none that could be old.
      const supposed = committed === undefined && params.offsetResetPolicy === 'latest';
      if (!supposed) sum.oldest = olderOf(sum.oldest, oldestSince(history, topic, partition));
    }
  }
  return sum;
}

/** The lag of a partition the group has no commit for, as KEDA counts it, but without the deleted records. */
function uncommittedLag({ logStart, end }: PartitionOffsets, params: KafkaParams): number {
  if (params.scaleToZeroOnInvalidOffset) return 0;
  return params.offsetResetPolicy === 'latest' ? 1 : Math.max(0, end - logStart);
}

/** How many replicas can have work at most: a partition has one consumer. Undefined: the trigger sets no cap. */
function mostReplicas(params: KafkaParams, { partitions, laggingPartitions }: Sum): number | undefined {
  if (params.limitToPartitionsWithLag) return laggingPartitions;
  return params.allowIdleConsumers && !params.ensureEvenDistributionOfPartitions ? undefined : partitions;
}

/** Members beyond the partitions have nothing to do, and others where fewer partitions have lag. */
function consumersOf(
  { partitions, laggingPartitions }: Sum,
  { members }: KafkaSnapshot,
): Pick<Flow, 'consumers' | 'saturated'> {
  if (members === undefined) return {};
  const consumers = Math.min(members, partitions);
  return { consumers, saturated: laggingPartitions >= consumers };
}

function describe(sum: Sum, { samples }: KafkaHistory, { members }: KafkaSnapshot): Detail {
  const rates = ratesOf(samples);
  const counted = members === undefined ? sum : { ...sum, members };
  if (rates === undefined) return { ...counted };
  return {
    ...counted,
    producedPerSecond: round(rates.producedPerSecond),
    consumedPerSecond: round(rates.consumedPerSecond),
  };
}

function round(perSecond: number): number {
  return Math.round(perSecond * 100) / 100;
}
