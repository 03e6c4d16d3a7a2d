import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import { groupOf, scaledObject } from '../../bench/support/scaled-object.ts';
import { type KafkaCluster, startKafka } from '../../fakes/kafka/cluster.ts';
import { commitOffsets } from '../../fakes/kafka/commit-offsets.ts';
import { eventually } from '../../fakes/kafka/eventually.ts';
import type { BrokerTls } from '../../fakes/kafka/options.ts';
import type { Subject } from '../invariants.ts';
import { type Backlog, names, type Place, type Surroundings } from './place.ts';

const partitions = 2;
const heapMiB = 256;
const maxStalenessSeconds = 6;
/** Active subjects are read every second. A connection that died silently is noticed within two. */
const boundMs = 5000;
/** By then, requests under way at a broker's death have ended. */
const settleMs = 1500;

export interface KafkaOptions {
  readonly brokers?: 1 | 3;
  readonly tls?: BrokerTls;
}

/** A real cluster, its producers and its consumer groups. */
export class KafkaPlace implements Place {
  readonly cluster: KafkaCluster;
  private readonly tls: BrokerTls | undefined;
  private readonly client: Kafka;
  private readonly admin: Admin;
  private readonly producer: Producer;
  private readonly tell: Surroundings['tell'];

  static async start({ brokers = 1, tls }: KafkaOptions, { tell }: Surroundings): Promise<KafkaPlace> {
    const properties = { 'default.replication.factor': String(brokers), 'min.insync.replicas': '1' };
    const cluster = await startKafka({ brokers, heapMiB, properties, ...(tls && { tls }) });
    const place = new KafkaPlace(cluster, tls, tell);
    await Promise.all([place.admin.connect(), place.producer.connect()]);
    return place;
  }

  private constructor(cluster: KafkaCluster, tls: BrokerTls | undefined, tell: Surroundings['tell']) {
    this.cluster = cluster;
    this.tls = tls;
    this.tell = tell;
    this.client = new Kafka({
      clientId: 'chaos',
      brokers: [...cluster.bootstrap.plain],
      logLevel: logLevel.NOTHING,
      requestTimeout: 3000,
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 12 },
    });
    this.admin = this.client.admin();
    // Idempotent, so that a record that is sent again exists once.
    this.producer = this.client.producer({
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
    });
  }

  async connections() {
    const { bootstrap } = this.cluster;
    const { tls } = this;
    const address =
      tls === undefined
        ? { bootstrapServers: bootstrap.plain }
        : { bootstrapServers: bootstrap.tls, tls: { caFile: tls.caFile } };
    return { kafka: { source: 'kafka', ...address } };
  }

  async make(count: number): Promise<Backlog[]> {
    const topics = names('orders', count);
    await this.admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: partitions })) });
    for (const topic of topics) {
      await eventually(() => this.admin.fetchTopicMetadata({ topics: [topic] }));
      await eventually(() => this.commit(topic, new Array<number>(partitions).fill(0)));
    }
    return topics.map((topic) => new TopicBacklog(topic, this, this.tell));
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.admin.disconnect(), this.producer.disconnect()]);
    await this.cluster.stop();
  }

  async append(topic: string, partition: number, items: number): Promise<void> {
    const messages = Array.from({ length: items }, () => ({ value: 'a record', partition }));
    await this.producer.send({ topic, acks: -1, messages });
  }

  commit(topic: string, ends: readonly number[]): Promise<void> {
    return commitOffsets(this.client, groupOf(topic), topic, { ...ends });
  }

  /** The end of each partition, and what the group has committed. */
  async offsets(topic: string): Promise<{ ends: number[]; committed: number[] }> {
    const [ends, [group]] = await Promise.all([
      this.admin.fetchTopicOffsets(topic),
      this.admin.fetchOffsets({ groupId: groupOf(topic), topics: [topic] }),
    ]);
    const inOrder = (of: readonly { partition: number; offset: string }[]) =>
      [...of].sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
    return { ends: inOrder(ends), committed: inOrder(group?.partitions ?? []) };
  }
}

class TopicBacklog implements Backlog {
  readonly subject: Subject;
  readonly reference;
  private readonly kafka: KafkaPlace;
  private readonly topic: string;
  private readonly tell: Surroundings['tell'];
  private readonly ends = new Array<number>(partitions).fill(0);
  private least = 0;
  private most = 0;
  private next = 0;
  /** When a change failed. The true state must then be read. */
  private failedAtMs: number | undefined;

  constructor(topic: string, kafka: KafkaPlace, tell: Surroundings['tell']) {
    this.topic = topic;
    this.kafka = kafka;
    this.tell = tell;
    this.subject = { name: topic, boundMs, maxStalenessMs: maxStalenessSeconds * 1000 };
    const { scalerMetadata, ...named } = scaledObject(topic);
    const metadata = { allowIdleConsumers: 'true', maxStalenessSeconds: String(maxStalenessSeconds) };
    this.reference = { ...named, scalerMetadata: { ...scalerMetadata, ...metadata } };
  }

  grow(items: number): Promise<void> {
    return this.change(async () => {
      const partition = this.next++ % partitions;
      this.most += items;
      this.say();
      await this.kafka.append(this.topic, partition, items);
      this.ends[partition] = (this.ends[partition] ?? 0) + items;
      this.least += items;
    });
  }

  empty(): Promise<void> {
    return this.change(async () => {
      this.least = 0;
      this.say();
      await this.kafka.commit(this.topic, this.ends);
      this.most = 0;
    });
  }

  private async change(make: () => Promise<void>): Promise<void> {
    try {
      if (this.failedAtMs !== undefined) await this.ask(this.failedAtMs);
      await make();
      this.say();
    } catch {
      this.failedAtMs = performance.now();
    }
  }

  private async ask(failedAtMs: number): Promise<void> {
    await sleep(Math.max(0, failedAtMs + settleMs - performance.now()));
    const { ends, committed } = await this.kafka.offsets(this.topic);
    this.least = ends.reduce((sum, end, partition) => sum + end - (committed[partition] ?? 0), 0);
    this.most = this.least;
    this.ends.splice(0, partitions, ...ends);
    this.failedAtMs = undefined;
    this.say();
  }

  private say(): void {
    this.tell(this.subject.name, { least: this.least, most: this.most });
  }
}
