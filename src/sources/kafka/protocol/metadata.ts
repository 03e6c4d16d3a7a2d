import type { KafkaAnswer, KafkaRequest } from '../wire/wire.ts';
import { formatAddress } from './address.ts';
import { apiKeys } from './api-keys.ts';
import type { Reader } from './reader.ts';

export interface MetadataBroker {
  readonly nodeId: number;
  /** `host:port` as advertised on the listener we came through. */
  readonly address: string;
}

export interface MetadataPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** The leader's node id; -1 when there is none. */
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

/** Brokers, and the leaders of these topics. Version 6 (Kafka 2.0). Never creates a topic. */
export function metadata({ topics }: { topics: readonly string[] | 'all' }): KafkaRequest<MetadataAnswer> {
  return {
    apiKey: apiKeys.metadata,
    apiName: 'Metadata',
    apiVersion: 6,
    flexible: false,
    write(to) {
      if (topics === 'all') to.nullArray();
      else to.array(topics, (writer, topic) => writer.string(topic));
      const allowAutoTopicCreation = false;
      to.boolean(allowAutoTopicCreation);
    },
    read(from) {
      const throttleTimeMs = from.int32();
      const brokers = from.array(readBroker);
      from.nullableString(); // cluster id
      from.int32(); // controller
      return { throttleTimeMs, brokers, topics: from.array(readTopic) };
    },
  };
}

function readBroker(from: Reader): MetadataBroker {
  const nodeId = from.int32();
  const address = formatAddress({ host: from.string(), port: from.int32() });
  from.nullableString(); // rack
  return { nodeId, address };
}

function readTopic(from: Reader): MetadataTopic {
  const errorCode = from.int16();
  const topic = from.string();
  const internal = from.boolean();
  return { topic, errorCode, internal, partitions: from.array(readPartition) };
}

function readPartition(from: Reader): MetadataPartition {
  const errorCode = from.int16();
  const partition = from.int32();
  const leader = from.int32();
  from.skipInt32Array(); // replicas
  from.skipInt32Array(); // in-sync replicas
  from.skipInt32Array(); // offline replicas
  return { partition, errorCode, leader };
}
