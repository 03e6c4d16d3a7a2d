import { parseParams } from '../../../../../src/params/parse.ts';
import { type KafkaParams, kafkaParams } from '../../../../../src/sources/kafka/params.ts';
import {
  isSome,
  type KafkaSnapshot,
  type PartitionOffsets,
  type TopicOffsets,
} from '../../../../../src/sources/kafka/rules/snapshot.ts';

/** `[log start, end, committed]`. Null if the group has no commit. The place in the list is the partition. */
export type Offsets = readonly (readonly [number, number, number | null])[];

/** Partitions with everything from offset 0, with only this lag left to handle. */
export function lags(...lag: number[]): Offsets {
  return lag.map((records) => [0, 1000 + records, 1000] as const);
}

export function topicOf(offsets: Offsets): TopicOffsets {
  return topicRead(
    offsets.map(([logStart, end, committed], partition) => ({
      partition,
      logStart,
      end,
      committed: committed ?? undefined,
    })),
  );
}

/** A topic that was read completely. */
export function topicRead(partitions: readonly PartitionOffsets[]): TopicOffsets {
  if (!isSome(partitions)) throw new Error('a topic without partitions');
  return { kind: 'whole', partitions };
}

export function snapshotOf(topics: Readonly<Record<string, Offsets>>): KafkaSnapshot {
  return { topics: new Map(Object.entries(topics).map(([topic, offsets]) => [topic, topicOf(offsets)])) };
}

const defaults = parseParams(kafkaParams, new Map()).params;

export function paramsOf(overrides: Partial<KafkaParams> = {}): KafkaParams {
  return { ...defaults, consumerGroup: 'workers', topic: ['orders'], ...overrides };
}
