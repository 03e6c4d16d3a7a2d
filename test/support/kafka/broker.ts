import { randomBytes } from 'node:crypto';
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import { type KafkaCluster, startKafka } from '../../../fakes/kafka/cluster.ts';
import { commitOffsets, type Offsets } from '../../../fakes/kafka/commit-offsets.ts';
import { eventually } from '../../../fakes/kafka/eventually.ts';
import type { KafkaOptions } from '../../../fakes/kafka/options.ts';
import { tool, useTool } from '../tools/use-tool.ts';

/** A real broker, or three. Needs Java and Maven, see `useTool`. */
export function useKafka(options: KafkaOptions = {}): () => TestKafka {
  return useTool(
    async () => {
      await (options.stats ? tool('kafka-stats') : tool('kafka-broker'));
      return await TestKafka.start(options);
    },
    { end: (kafka) => kafka.stop() },
  );
}

/** A running cluster, and the actions of tests. They use the plaintext listener, which has all rights. */
export class TestKafka {
  readonly cluster: KafkaCluster;
  readonly client: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;

  static async start(options: KafkaOptions = {}): Promise<TestKafka> {
    const kafka = new TestKafka(await startKafka({ progress: (line) => console.error(line), ...options }));
    await Promise.all([kafka.admin.connect(), kafka.producer.connect()]);
    return kafka;
  }

  private constructor(cluster: KafkaCluster) {
    this.cluster = cluster;
    this.client = new Kafka({
      clientId: 'test',
      brokers: [...cluster.bootstrap.plain],
      logLevel: logLevel.NOTHING,
      // Short, for tests that stop a broker while this client waits for it.
      requestTimeout: 5000,
      retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 30 },
    });
    this.admin = this.client.admin();
    this.producer = this.client.producer({ allowAutoTopicCreation: false });
  }

  /** A unique name of a topic or group. */
  name(stem: string): string {
    return `${stem}-${randomBytes(4).toString('hex')}`;
  }

  /** Creates a topic and waits until every partition has a leader that answers. Returns its name. */
  async createTopic(options: TopicOptions = {}): Promise<string> {
    const topic = options.name ?? this.name('topic');
    const configEntries = Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value }));
    await this.admin.createTopics({
      // kafkajs's own wait fails if the broker does not know the topic yet.
      waitForLeaders: false,
      topics: [
        {
          topic,
          configEntries,
          ...(options.assignment
            ? {
                replicaAssignment: options.assignment.map((replicas, partition) => ({
                  partition,
                  replicas: [...replicas],
                })),
              }
            : { numPartitions: options.partitions ?? 1, replicationFactor: options.replicas ?? 1 }),
        },
      ],
    });
    // A thousand partitions take a while on a busy broker.
    await eventually(() => this.admin.fetchTopicOffsets(topic), 90_000);
    return topic;
  }

  /** Appends records (acks from all in-sync replicas). Resolves when they are acknowledged. */
  async produce(topic: string, count = 1, { partition, bytes = 8 }: RecordOptions = {}): Promise<void> {
    const value = Buffer.alloc(bytes, 'x');
    const messages = Array.from({ length: count }, () =>
      partition === undefined ? { value } : { value, partition },
    );
    const sent = await this.producer.send({ topic, acks: -1, messages });
    // kafkajs silently drops records for a partition that it does not know.
    if (count > 0 && sent.length === 0)
      throw new Error(`the producer knows no partition ${partition} of ${topic}`);
  }

  /** Commits offsets for a group without members. Takes milliseconds. */
  async commit(group: string, topic: string, offsets: Offsets): Promise<void> {
    await eventually(() => commitOffsets(this.client, group, topic, offsets));
  }

  /** The group's commits by partition. -1 without one. */
  async committed(group: string, topic: string): Promise<Record<number, number>> {
    const [found] = await this.admin.fetchOffsets({ groupId: group, topics: [topic] });
    return Object.fromEntries(
      (found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]),
    );
  }

  /** The node ID of each partition's leader. */
  async leaders(topic: string): Promise<Record<number, number>> {
    const { topics } = await eventually(() => this.admin.fetchTopicMetadata({ topics: [topic] }));
    return Object.fromEntries(
      (topics[0]?.partitions ?? []).map(({ partitionId, leader }) => [partitionId, leader]),
    );
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.admin.disconnect(), this.producer.disconnect()]);
    await this.cluster.stop();
  }
}

export interface TopicOptions {
  name?: string;
  partitions?: number;
  replicas?: number;
  /** The nodes of each partition, the preferred leader first. Replaces `partitions` and `replicas`. */
  assignment?: readonly (readonly number[])[];
  config?: Readonly<Record<string, string>>;
}

export interface RecordOptions {
  partition?: number;
  bytes?: number;
}
