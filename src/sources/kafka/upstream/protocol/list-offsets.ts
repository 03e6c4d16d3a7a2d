import type { IsolationLevel } from '../../rules/snapshot.ts';
import { Api, apiKeys, type Codec, consumerReplicaId, isolationByte, type KafkaAnswer } from './api.ts';
import type { Decoder } from './decoder.ts';

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

/** Both versions are written and read alike; what differs is when a broker mutes the socket (KIP-219). */
const codec: Codec<ListOffsetsOptions, ListOffsetsAnswer> = {
  write(to, { topics, timestamp, isolationLevel }) {
    to.int32(consumerReplicaId).int8(isolationByte(isolationLevel));
    to.array(topics, (encoder, [topic, partitions]) => {
      encoder.string(topic);
      encoder.array(partitions, (each, partition) => each.int32(partition).int64(timestamps[timestamp]));
    });
  },
  read(from) {
    const throttleTimeMs = from.int32();
    return { throttleTimeMs, topics: from.array(readTopic) };
  },
};

const api = new Api(
  { apiKey: apiKeys.listOffsets, apiName: 'ListOffsets', since: '0.11' },
  { 2: codec, 3: codec },
);

/** One offset of each partition. */
export const listOffsets = (options: ListOffsetsOptions) => api.request(options);

function readTopic(from: Decoder): ListOffsetsAnswer['topics'][number] {
  return { topic: from.string(), partitions: from.array(readPartition) };
}

function readPartition(from: Decoder): ListedOffset {
  const partition = from.int32();
  const errorCode = from.int16();
  from.skip(8); // the timestamp of the record, which only a search by time fills
  return { partition, errorCode, offset: from.int64() };
}
