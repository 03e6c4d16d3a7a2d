import { ScalerError } from '../../../errors.ts';
import { type Detail, type Flow, type Oldest, olderOf, type Reading, type Target } from '../../source.ts';
import { type Working, WorkingRows } from '../../working.ts';
import { type KafkaParams, namesTopics } from '../params.ts';
import { type Coverage, type CoveredTopic, cover } from './coverage.ts';
import { committedLag, type KafkaHistory, oldestSince, stuckSinceMs } from './history.ts';
import { ratesOf } from './rates.ts';
import type { KafkaSnapshot, PartitionOffsets } from './snapshot.ts';

/**
 * The trigger's reading of a snapshot: KEDA's rules (pkg/scalers/kafka_scaler.go, getTotalLag, v2.21) with these
 * differences. The cap is a true minimum; KEDA's whole-number division allows one replica too many. Persistent
 * lag goes by time, not by the number of calls. Deleted records are not lag. An even distribution of zero lag is zero.
 *
 * `takenAtMs` is when the snapshot was read, not now, because commits cannot be seen between reads.
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
    working: () => workingOf(params, covered, history, takenAtMs, most),
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
  const standing = new Standing(params, history, takenAtMs);
  for (const covers of covered) {
    const { topic, partitions, lost } = covers;
    sum.commitsBeyondEnd += lost.size;
    for (const offsets of partitions) {
      const { partition } = offsets;
      const rule = standing.ruleOf(covers, offsets);
      const committed = isCommitted(rule) ? offsets.committed : undefined;
      const lag = lagBy(rule, offsets);
      sum.partitions += 1;
      if (committed === undefined) sum.partitionsWithoutCommit += 1;
      if (rule === 'excludePersistentLag') {
        sum.persistentLag += lag;
        continue;
      }
      sum.lag += lag;
      sum.arrived += offsets.end;
      sum.consumed += committed ?? (params.offsetResetPolicy === 'latest' ? offsets.end : offsets.logStart);
      if (lag === 0) continue;
      sum.laggingPartitions += 1;
      // The one record that KEDA assumes under `latest` cannot be old.
      if (rule !== 'latest') sum.oldest = olderOf(sum.oldest, oldestSince(history, topic, partition));
    }
  }
  return sum;
}

/** The rule by which a partition's lag is counted. */
type Rule =
  | 'committed'
  | 'excludePersistentLag'
  /** The others are for partitions without a commit that holds. */
  | 'scaleToZeroOnInvalidOffset'
  | 'latest'
  | 'earliest';

/** Which rule applies to a partition, at one reading of one trigger. */
class Standing {
  private readonly params: KafkaParams;
  private readonly history: KafkaHistory;
  private readonly stuckBeforeMs: number;

  constructor(params: KafkaParams, history: KafkaHistory, takenAtMs: number) {
    this.params = params;
    this.history = history;
    this.stuckBeforeMs = takenAtMs - params.persistentLagSeconds * 1000;
  }

  ruleOf({ topic, lost }: CoveredTopic, { partition, committed }: PartitionOffsets): Rule {
    const { offsetResetPolicy, scaleToZeroOnInvalidOffset, excludePersistentLag } = this.params;
    if (committed === undefined || lost.has(partition)) {
      return scaleToZeroOnInvalidOffset ? 'scaleToZeroOnInvalidOffset' : offsetResetPolicy;
    }
    const sinceMs = excludePersistentLag ? stuckSinceMs(this.history, topic, partition) : undefined;
    return sinceMs !== undefined && sinceMs <= this.stuckBeforeMs ? 'excludePersistentLag' : 'committed';
  }
}

function isCommitted(rule: Rule): boolean {
  return rule === 'committed' || rule === 'excludePersistentLag';
}

/** A partition's lag. Without a commit it is as KEDA counts it, but without the deleted records. */
function lagBy(rule: Rule, offsets: PartitionOffsets): number {
  switch (rule) {
    case 'scaleToZeroOnInvalidOffset':
      return 0;
    case 'latest':
      return 1;
    case 'earliest':
      return Math.max(0, offsets.end - offsets.logStart);
    default:
      return committedLag(offsets, offsets.committed ?? offsets.end);
  }
}

/** Each partition's part of the sum, by the rules of `sumUp`. */
function workingOf(
  params: KafkaParams,
  covered: Coverage,
  history: KafkaHistory,
  takenAtMs: number,
  most: number | undefined,
): Working {
  const standing = new Standing(params, history, takenAtMs);
  const rows = new WorkingRows();
  for (const covers of covered) {
    for (const offsets of covers.partitions) {
      const { partition, committed, logStart, end } = offsets;
      const rule = standing.ruleOf(covers, offsets);
      const lag = lagBy(rule, offsets);
      rows.add(
        {
          name: `${covers.topic}/${partition}`,
          items: rule === 'excludePersistentLag' ? 0 : lag,
          because: whyLag(rule, offsets, covers.lost.has(partition), params),
          said: { committed: committed ?? 'none', logStart, end },
        },
        lag,
      );
    }
  }
  const isLimited = namesTopics(params) && params.partitionLimitation !== undefined;
  return rows.working('partitions', [
    isLimited ? 'partitionLimitation leaves the others out' : undefined,
    most === undefined ? undefined : whyAtMost(params, most),
  ]);
}

function whyLag(
  rule: Rule,
  offsets: PartitionOffsets,
  isLost: boolean,
  { persistentLagSeconds }: KafkaParams,
): string {
  const none = isLost ? 'the commit lies beyond the end, and counts as none' : 'no commit';
  const { logStart, committed = logStart } = offsets;
  switch (rule) {
    case 'committed': {
      if (committedLag(offsets, committed) === 0) return 'no lag';
      return committed < logStart ? 'end - logStart: what was deleted counts no more' : 'end - committed';
    }
    case 'excludePersistentLag':
      return `excludePersistentLag: a lag of ${committedLag(offsets, committed)} with a commit that has stood still for ${persistentLagSeconds} s; it only keeps the workload active`;
    case 'scaleToZeroOnInvalidOffset':
      return `${none}; scaleToZeroOnInvalidOffset counts 0`;
    case 'latest':
      return `${none}; offsetResetPolicy latest counts 1, so that the group can start`;
    case 'earliest':
      return `${none}; offsetResetPolicy earliest counts end - logStart`;
  }
}

function whyAtMost(params: KafkaParams, most: number): string {
  const why = params.limitToPartitionsWithLag
    ? 'limitToPartitionsWithLag, and so many partitions have lag'
    : 'a partition has one consumer';
  const even = params.ensureEvenDistributionOfPartitions
    ? '; ensureEvenDistributionOfPartitions takes the next number that divides it'
    : '';
  return `at most ${most} replicas can have work: ${why}${even}`;
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
