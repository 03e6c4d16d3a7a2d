import type { IsolationLevel } from '../../rules/snapshot.ts';
import { Api, apiKeys, type Codec, consumerReplicaId, isolationByte, type KafkaAnswer } from './api.ts';
import type { Decoder } from './decoder.ts';

export interface FetchPosition {
  readonly partition: number;
  readonly fetchOffset: number;
}

export interface FetchOptions {
  /** How long the broker may hold the answer back while there are fewer than `minBytes`. */
  maxWaitMs: number;
  minBytes: number;
  /** For the whole answer; the first batch comes whatever its size (KIP-74). */
  maxBytes: number;
  partitionMaxBytes: number;
  isolationLevel: IsolationLevel;
  /** Incremental sessions (KIP-227): 0 and epoch 0 ask for a new one, 0 and -1 for none. */
  sessionId: number;
  sessionEpoch: number;
  /** The whole set for a new session, later what is added or has a new offset. */
  topics: ReadonlyMap<string, readonly FetchPosition[]>;
  /** What leaves the session. */
  forgotten: ReadonlyMap<string, readonly number[]>;
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1 when there is an error. */
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** The size of the records that came; they are skipped, never decoded. */
  readonly recordBytes: number;
}

export interface FetchAnswer extends KafkaAnswer {
  /** Of the session as a whole. */
  readonly errorCode: number;
  /** 0: the broker did not grant a session. */
  readonly sessionId: number;
  readonly partitions: readonly FetchedPartition[];
}

const unknownLeaderEpoch = -1;
/** Only followers say where their log starts. */
const noLogStartOffset = -1;
const noRack = '';

/** `epochs`: with leaders' epochs (version 9). `rack`: with our rack, and a nearer replica in the answer (version 11). */
function codec({ epochs, rack }: { epochs: boolean; rack: boolean }): Codec<FetchOptions, FetchAnswer> {
  return {
    write(to, options) {
      to.int32(consumerReplicaId).int32(options.maxWaitMs).int32(options.minBytes).int32(options.maxBytes);
      to.int8(isolationByte(options.isolationLevel));
      to.int32(options.sessionId).int32(options.sessionEpoch);
      to.array(options.topics, (encoder, [topic, positions]) => {
        encoder.string(topic).array(positions, (each, { partition, fetchOffset }) => {
          each.int32(partition);
          if (epochs) each.int32(unknownLeaderEpoch);
          each.int64(fetchOffset).int64(noLogStartOffset).int32(options.partitionMaxBytes);
        });
      });
      to.array(options.forgotten, (encoder, [topic, partitions]) => {
        encoder.string(topic).array(partitions, (each, partition) => each.int32(partition));
      });
      if (rack) to.string(noRack);
    },
    read(from) {
      const throttleTimeMs = from.int32();
      const errorCode = from.int16();
      const sessionId = from.int32();
      const partitions = from.array((decoder) => readTopic(decoder, rack)).flat();
      return { throttleTimeMs, errorCode, sessionId, partitions };
    },
  };
}

const first = codec({ epochs: false, rack: false });
const withEpochs = codec({ epochs: true, rack: false });
/** Version 7 is the first with sessions (KIP-227). Without one a long poll would send all partitions each time. */
export const fetchApi = new Api(
  { apiKey: apiKeys.fetch, apiName: 'Fetch', since: '1.1' },
  { 7: first, 8: first, 9: withEpochs, 10: withEpochs, 11: codec({ epochs: true, rack: true }) },
);

/** Waits for records without reading them. */
export const fetch = (options: FetchOptions) => fetchApi.request(options);

function readTopic(from: Decoder, rack: boolean): FetchedPartition[] {
  const topic = from.string();
  return from.array((decoder) => readPartition(decoder, topic, rack));
}

function readPartition(from: Decoder, topic: string, rack: boolean): FetchedPartition {
  const partition = from.int32();
  const errorCode = from.int16();
  const highWatermark = from.int64();
  const lastStableOffset = from.int64();
  const logStartOffset = from.int64();
  from.array((aborted) => aborted.skip(16)); // producer id and first offset of aborted transactions
  if (rack) from.int32(); // the nearer replica
  const recordBytes = from.skipBytes();
  return { topic, partition, errorCode, highWatermark, lastStableOffset, logStartOffset, recordBytes };
}
