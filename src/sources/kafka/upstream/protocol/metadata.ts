import { formatAddress } from './address.ts';
import { Api, apiKeys, type Codec, type KafkaAnswer } from './api.ts';
import type { Decoder } from './decoder.ts';

export interface MetadataBroker {
  readonly nodeId: number;
  /** `host:port` as advertised on the listener we came through. */
  readonly address: string;
}

export interface MetadataPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** The leader's node ID. -1 without a leader. */
  readonly leader: number;
}

export interface MetadataTopic {
  readonly topic: string;
  readonly errorCode: number;
  readonly internal: boolean;
  readonly partitions: readonly MetadataPartition[];
}

export interface MetadataAnswer extends KafkaAnswer {
  readonly brokers: readonly MetadataBroker[];
  readonly topics: readonly MetadataTopic[];
}

export interface MetadataOptions {
  topics: readonly string[] | 'all';
}

/** Before version 4 asking for a topic could create it. `offline`: with offline replicas (version 5). */
function codec(offline: boolean): Codec<MetadataOptions, MetadataAnswer> {
  return {
    write(to, { topics }) {
      if (topics === 'all') to.nullArray();
      else to.array(topics, (encoder, topic) => encoder.string(topic));
      const allowAutoTopicCreation = false;
      to.boolean(allowAutoTopicCreation);
    },
    read(from) {
      const throttleTimeMs = from.int32();
      const brokers = from.array(readBroker);
      from.nullableString(); // cluster id
      from.int32(); // controller
      return { throttleTimeMs, brokers, topics: from.array((decoder) => readTopic(decoder, offline)) };
    },
  };
}

const api = new Api(
  { apiKey: apiKeys.metadata, apiName: 'Metadata', since: '0.11' },
  { 4: codec(false), 5: codec(true), 6: codec(true) },
);

/** Brokers, and the leaders of these topics. Never creates a topic. */
export const metadata = (options: MetadataOptions) => api.request(options);

function readBroker(from: Decoder): MetadataBroker {
  const nodeId = from.int32();
  const address = formatAddress({ host: from.string(), port: from.int32() });
  from.nullableString(); // rack
  return { nodeId, address };
}

function readTopic(from: Decoder, offline: boolean): MetadataTopic {
  const errorCode = from.int16();
  const topic = from.string();
  const internal = from.boolean();
  return { topic, errorCode, internal, partitions: from.array((decoder) => readPartition(decoder, offline)) };
}

function readPartition(from: Decoder, offline: boolean): MetadataPartition {
  const errorCode = from.int16();
  const partition = from.int32();
  const leader = from.int32();
  from.skipInt32Array(); // replicas
  from.skipInt32Array(); // in-sync replicas
  if (offline) from.skipInt32Array();
  return { partition, errorCode, leader };
}
