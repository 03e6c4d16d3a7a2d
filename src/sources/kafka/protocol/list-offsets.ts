import type { IsolationLevel } from '../rules/snapshot.ts';
import type { KafkaAnswer, KafkaRequest } from '../wire/wire.ts';
import { apiKeys } from './api-keys.ts';
import { consumerReplicaId } from './consumer-replica.ts';
import { isolationByte } from './isolation-level.ts';
import type { Reader } from './reader.ts';

export interface ListedOffset {
  readonly partition: number;
  readonly errorCode: number;
  /** -1 when there is an error. */
  readonly offset: number;
}

export interface ListOffsetsAnswer extends KafkaAnswer {
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly ListedOffset[] }[];
}

export interface ListOffsetsOptions {
  /** Partitions this broker leads. */
  topics: ReadonlyMap<string, readonly number[] | ReadonlySet<number>>;
  timestamp: 'end' | 'logStart';
  /** What `end` is: the high watermark, or under `readCommitted` the last stable offset. */
  isolationLevel: IsolationLevel;
}

/** Kafka's timestamps that ask for an end of the log instead of a time. */
const timestamps = { end: -1, logStart: -2 } as const;

/** One offset of each partition. Version 3 (Kafka 2.0). */
export function listOffsets(options: ListOffsetsOptions): KafkaRequest<ListOffsetsAnswer> {
  const timestamp = timestamps[options.timestamp];
  return {
    apiKey: apiKeys.listOffsets,
    apiName: 'ListOffsets',
    apiVersion: 3,
    flexible: false,
    write(to) {
      to.int32(consumerReplicaId).int8(isolationByte(options.isolationLevel));
      to.array(options.topics, (writer, [topic, partitions]) => {
        writer.string(topic);
        writer.array(partitions, (each, partition) => each.int32(partition).int64(timestamp));
      });
    },
    read(from) {
      const throttleTimeMs = from.int32();
      return { throttleTimeMs, topics: from.array(readTopic) };
    },
  };
}

function readTopic(from: Reader): ListOffsetsAnswer['topics'][number] {
  return { topic: from.string(), partitions: from.array(readPartition) };
}

function readPartition(from: Reader): ListedOffset {
  const partition = from.int32();
  const errorCode = from.int16();
  from.skip(8); // the timestamp of the record, which only a search by time fills
  return { partition, errorCode, offset: from.int64() };
}
