import { ScalerError } from '../../errors.ts';
import { inRanges } from '../../params/ranges.ts';
import { quote } from '../../printable.ts';
import { type KafkaParams, namesTopics } from './params.ts';
import type { KafkaSnapshot, PartitionOffsets, TopicOffsets } from './snapshot.ts';

/** Per topic the partitions a trigger looks at. */
export type Selected = ReadonlyMap<string, readonly PartitionOffsets[]>;

type Limitation = KafkaParams['partitionLimitation'];

/**
 * The partitions the trigger looks at, or why its number cannot be known: one topic or partition that could not
 * be read is enough, since a sum without it would be too small. The error names the first and counts the others.
 */
export function select(params: KafkaParams, snapshot: KafkaSnapshot): Selected | ScalerError {
  // KEDA ignores partitionLimitation without a topic (pkg/scalers/kafka_scaler.go:132, v2.21).
  const limitation = namesTopics(params) ? params.partitionLimitation : undefined;
  const explicit = params.topic.length > 0;
  const selected = new Map<string, readonly PartitionOffsets[]>();
  const faults = new Faults();
  for (const topic of explicit ? new Set(params.topic) : snapshot.topics.keys()) {
    const partitions = partitionsOf(topic, snapshot.topics.get(topic) ?? notRead, limitation, faults);
    if (partitions === undefined) continue;
    if (partitions.length > 0) selected.set(topic, partitions);
    else if (explicit) faults.add(`topic ${quote(topic)}`, noPartition(limitation));
  }
  const error = faults.error();
  if (error !== undefined) return error;
  if (selected.size === 0 && snapshot.topics.size > 0 && limitation !== undefined) {
    return noPartition(limitation).within(`topics matching ${quote(params.topicPattern)}`);
  }
  return selected;
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
  const failed = [...offsets.faults].filter(
    ([partition]) => limitation === undefined || inRanges(limitation, partition),
  );
  for (const [partition, error] of failed) faults.add(`topic ${quote(topic)} partition ${partition}`, error);
  if (failed.length > 0) return undefined;
  if (limitation === undefined) return offsets.partitions;
  return offsets.partitions.filter(({ partition }) => inRanges(limitation, partition));
}

function noPartition(limitation: Limitation): ScalerError {
  return limitation === undefined
    ? new ScalerError('unavailable', 'has no partitions yet')
    : new ScalerError(
        'invalid',
        'none of the partitions of partitionLimitation is there: correct it or leave it out',
      );
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
