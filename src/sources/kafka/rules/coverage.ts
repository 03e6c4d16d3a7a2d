import { ScalerError } from '../../../errors.ts';
import { inRanges } from '../../../params/ranges.ts';
import { quote } from '../../../printable.ts';
import { type KafkaParams, namesTopics } from '../params.ts';
import { beyondEnd, type KafkaHistory } from './history.ts';
import {
  isSome,
  type KafkaSnapshot,
  type PartitionOffsets,
  type Some,
  type TopicOffsets,
} from './snapshot.ts';

/**
 * The parts of a trigger's number: everything that the trigger selects, all of it read, and not empty. There is no other
 * way to a number. So what was not found, not read or hidden from us cannot become zero.
 */
export type Coverage = Some<CoveredTopic>;

export interface CoveredTopic {
  readonly topic: string;
  readonly partitions: Some<PartitionOffsets>;
  /** Those whose commit lies beyond the end of the log: it counts as none. */
  readonly lost: ReadonlySet<number>;
}

type Limitation = KafkaParams['partitionLimitation'];

/**
 * The part of the snapshot that the trigger selects, or why its number is unknown. One unreadable topic or partition is
 * enough, since a sum without it would be too small. The error names the first and counts the others.
 */
export function cover(
  params: KafkaParams,
  snapshot: KafkaSnapshot,
  history: KafkaHistory,
): Coverage | ScalerError {
  // KEDA ignores partitionLimitation without a topic (pkg/scalers/kafka_scaler.go:132, v2.21).
  const limitation = namesTopics(params) ? params.partitionLimitation : undefined;
  const named = params.topic.length > 0;
  const covered: CoveredTopic[] = [];
  const faults = new Faults();
  for (const topic of named ? new Set(params.topic) : snapshot.topics.keys()) {
    const partitions = partitionsOf(topic, snapshot.topics.get(topic) ?? notRead, limitation, faults);
    if (partitions === undefined) continue;
    const lost = lostCommits(topic, partitions, history, faults);
    if (isSome(partitions)) covered.push({ topic, partitions, lost });
    else if (named) faults.add(`topic ${quote(topic)}`, noPartition);
  }
  const error = faults.error();
  if (error !== undefined) return error;
  return isSome(covered) ? covered : nothing(params, snapshot);
}

const notRead: TopicOffsets = {
  kind: 'failed',
  error: new ScalerError('unavailable', 'has not been read yet; the next read asks for it'),
};

/** Undefined where something the trigger looks at could not be read. */
function partitionsOf(
  topic: string,
  offsets: TopicOffsets,
  limitation: Limitation,
  faults: Faults,
): readonly PartitionOffsets[] | undefined {
  if (offsets.kind === 'failed') {
    faults.add(`topic ${quote(topic)}`, offsets.error);
    return undefined;
  }
  const wanted = (partition: number) => limitation === undefined || inRanges(limitation, partition);
  if (offsets.kind === 'partial') {
    const failed = [...offsets.faults].filter(([partition]) => wanted(partition));
    for (const [partition, error] of failed) faults.add(nameOf(topic, partition), error);
    if (failed.length > 0) return undefined;
  }
  if (limitation === undefined) return offsets.partitions;
  return offsets.partitions.filter(({ partition }) => wanted(partition));
}

const none: ReadonlySet<number> = new Set();

/**
 * A commit beyond the end of the log, twice in a row, belongs to a former log. A consumer then starts as without a commit
 * (Kafka's `auto.offset.reset`).
 */
function lostCommits(
  topic: string,
  partitions: readonly PartitionOffsets[],
  history: KafkaHistory,
  faults: Faults,
): ReadonlySet<number> {
  const seen = beyondEnd(history, topic);
  if (seen.size === 0) return none;
  const lost = new Set<number>();
  for (const { partition } of partitions) {
    const often = seen.get(partition);
    if (often === 'once') faults.add(nameOf(topic, partition), unsure);
    if (often === 'again') lost.add(partition);
  }
  return lost;
}

const unsure = new ScalerError(
  'unavailable',
  "the group's commit lies beyond the end of the log; the next read tells whether it stays so",
);

const noPartition = new ScalerError(
  'invalid',
  'none of the partitions of partitionLimitation exists: correct it or leave it out',
);

/** Why there is nothing that could be counted, though nothing that was found has failed. */
function nothing({ consumerGroup, topicPattern }: KafkaParams, { topics }: KafkaSnapshot): ScalerError {
  if (topics.size > 0) return noPartition.within(`topics matching ${quote(topicPattern)}`);
  if (topicPattern !== '') {
    return new ScalerError(
      'unavailable',
      `topicPattern ${quote(topicPattern)} matches no topic that the connection's user may see: correct it, create the topic, or grant DESCRIBE on the topics`,
    );
  }
  return new ScalerError(
    'unavailable',
    `group ${quote(consumerGroup)} has no committed offset that the connection's user may see: name its topics by topic, or grant DESCRIBE on the group and its topics`,
  );
}

function nameOf(topic: string, partition: number): string {
  return `topic ${quote(topic)} partition ${partition}`;
}

/** Keeps the first fault and counts the others: ten thousand partitions may fail at once. */
class Faults {
  private first: ScalerError | undefined;
  private firstWhere = '';
  private others = 0;

  add(where: string, error: ScalerError): void {
    if (this.first === undefined) {
      this.first = error;
      this.firstWhere = where;
    } else {
      this.others += 1;
    }
  }

  error(): ScalerError | undefined {
    return this.first?.within(
      this.others === 0 ? this.firstWhere : `${this.firstWhere} (and ${this.others} more)`,
    );
  }
}
