import { type Admin, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { commitOffsets } from '../../../fakes/kafka/commit-offsets.ts';
import { eventually } from '../../../fakes/kafka/eventually.ts';

/** The demo's topic and its group, for an ordinary client. */
export class KafkaTopic {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly groupId: string;
  private readonly partitions: number;
  private readonly admin: Admin;
  private readonly producer: Producer;
  private next = 0;

  constructor(
    bootstrapServers: readonly string[],
    names: { topic: string; groupId: string; partitions: number },
  ) {
    this.kafka = new Kafka({
      clientId: 'demo',
      brokers: [...bootstrapServers],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 20 },
    });
    this.topic = names.topic;
    this.groupId = names.groupId;
    this.partitions = names.partitions;
    this.admin = this.kafka.admin();
    this.producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  }

  /** Creates the topic, and the commits of a group that has read everything. */
  async create(): Promise<void> {
    await Promise.all([this.admin.connect(), this.producer.connect()]);
    await this.admin.createTopics({
      topics: [{ topic: this.topic, numPartitions: this.partitions }],
      waitForLeaders: false,
    });
    await eventually(() => this.admin.fetchTopicOffsets(this.topic));
    const zeros = Array.from({ length: this.partitions }, (_, partition) => [partition, 0]);
    await commitOffsets(this.kafka, this.groupId, this.topic, Object.fromEntries(zeros));
  }

  /** Appends records, one partition after the other. Resolves with the time of the acknowledgement. */
  async append(count: number): Promise<number> {
    const value = Buffer.from('an order');
    const messages = Array.from({ length: count }, () => ({
      value,
      partition: this.next++ % this.partitions,
    }));
    await this.producer.send({ topic: this.topic, acks: -1, messages });
    return performance.now();
  }

  /** Appended but not committed records. This client asks Kafka itself, without the scaler. */
  async backlog(): Promise<number> {
    const [groups, ends] = await Promise.all([
      this.admin.fetchOffsets({ groupId: this.groupId, topics: [this.topic] }),
      this.admin.fetchTopicOffsets(this.topic),
    ]);
    const committed = new Map(
      groups[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]),
    );
    return ends.reduce((sum, { partition, high }) => {
      return sum + Math.max(0, Number(high) - Math.max(0, committed.get(partition) ?? 0));
    }, 0);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.admin.disconnect(), this.producer.disconnect()]);
  }
}
