import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import { type KafkaCluster, startKafka } from '../../fakes/kafka/cluster.ts';
import { commitOffsets } from '../../fakes/kafka/commit-offsets.ts';
import { inParallel } from './in-parallel.ts';
import { groupOf } from './scaled-object.ts';

/** Enough for some thousand partitions. */
const heapMiB = 768;
/** Topics in one request to the controller. Requests with more time out. */
const topicsAtOnce = 100;
const topicsLimitMs = 30_000;
const commitsAtOnce = 8;

/** The counts of all brokers together since their start. */
export interface BrokerCounts {
  /** Reading requests by name and version, such as `ListOffsets v3`. Without producers' requests. */
  readonly requests: ReadonlyMap<string, number>;
  readonly connections: number;
  readonly cpuSeconds: number;
}

/** A real cluster on this machine, and the actions of a row. Each topic has a group of its own. */
export class BenchKafka {
  readonly bootstrapServers: readonly string[];
  private readonly cluster: KafkaCluster;
  private readonly client: Kafka;
  private readonly admin: Admin;
  private readonly producer: Producer;
  /** The end of each partition's log. */
  private readonly ends = new Map<string, number[]>();

  static async start(brokers: 1 | 3, progress: (line: string) => void): Promise<BenchKafka> {
    const kafka = new BenchKafka(await startKafka({ brokers, heapMiB, stats: true, progress }));
    await Promise.all([kafka.admin.connect(), kafka.producer.connect()]);
    return kafka;
  }

  private constructor(cluster: KafkaCluster) {
    this.cluster = cluster;
    this.bootstrapServers = cluster.bootstrap.plain;
    this.client = new Kafka({
      clientId: 'bench',
      brokers: [...this.bootstrapServers],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 30 },
    });
    this.admin = this.client.admin();
    this.producer = this.client.producer({ allowAutoTopicCreation: false });
  }

  get brokers(): number {
    return this.cluster.brokers.length;
  }

  /** Creates topics `<stem>-0` … Their groups have read everything. */
  async createTopics(stem: string, count: number, partitions: number): Promise<string[]> {
    const names = Array.from({ length: count }, (_, index) => `${stem}-${index}`);
    for (let at = 0; at < count; at += topicsAtOnce) {
      const topics = names
        .slice(at, at + topicsAtOnce)
        .map((topic) => ({ topic, numPartitions: partitions }));
      await this.admin.createTopics({ topics, waitForLeaders: false });
      await this.known(topics.map(({ topic }) => topic));
    }
    for (const topic of names) this.ends.set(topic, new Array<number>(partitions).fill(0));
    await this.drain(names);
    return names;
  }

  /** Resolves when the brokers know the topics. For hundreds of partitions kafkajs's own wait is too short. */
  private async known(topics: string[]): Promise<void> {
    const deadline = performance.now() + topicsLimitMs;
    for (;;) {
      try {
        await this.admin.fetchTopicMetadata({ topics });
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await sleep(200);
      }
    }
  }

  /** Appends one record to partition 0. Resolves when all replicas in sync have it. */
  async append(topic: string): Promise<void> {
    await this.producer.send({ topic, acks: -1, messages: [{ value: 'a record', partition: 0 }] });
    this.appended(topic);
  }

  /** Appends to each topic now and every `everyMs`, until the result is called. */
  keepAppending(topics: readonly string[], everyMs: number): () => Promise<void> {
    let under = this.appendToAll(topics);
    const timer = setInterval(() => {
      under = under.then(() => this.appendToAll(topics));
    }, everyMs);
    return async () => {
      clearInterval(timer);
      await under;
    };
  }

  async appendToAll(topics: readonly string[]): Promise<void> {
    const messages = [{ value: 'a record', partition: 0 }];
    await this.producer.sendBatch({
      acks: -1,
      topicMessages: topics.map((topic) => ({ topic, messages })),
    });
    for (const topic of topics) this.appended(topic);
  }

  private appended(topic: string): void {
    const ends = this.endsOf(topic);
    ends[0] = (ends[0] ?? 0) + 1;
  }

  /** Commits everything for the group of each topic, so that no lag is left. */
  async drain(topics: readonly string[]): Promise<void> {
    await inParallel(commitsAtOnce, topics, (topic) => this.commit(topic, groupOf(topic)));
  }

  /** Commits everything for each group of each topic. */
  async drainGroups(groups: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const all = [...groups].flatMap(([topic, names]) => names.map((group) => ({ topic, group })));
    await inParallel(commitsAtOnce, all, ({ topic, group }) => this.commit(topic, group));
  }

  private commit(topic: string, group: string): Promise<void> {
    return commitOffsets(this.client, group, topic, { ...this.endsOf(topic) });
  }

  private endsOf(topic: string): number[] {
    const ends = this.ends.get(topic);
    if (ends === undefined) throw new Error(`${topic} was not made here`);
    return ends;
  }

  async counts(): Promise<BrokerCounts> {
    const stats = await Promise.all(this.cluster.brokers.map((broker) => broker.stats()));
    const requests = new Map<string, number>();
    for (const [name, count] of stats.flatMap((one) => Object.entries(one.requests))) {
      if (!isRead(name)) continue;
      requests.set(name, (requests.get(name) ?? 0) + count);
    }
    const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
    return {
      requests,
      connections: sum(stats.map(({ connections }) => connections)),
      cpuSeconds: sum(stats.map(({ cpuMicros }) => cpuMicros)) / 1e6,
    };
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.admin.disconnect(), this.producer.disconnect()]);
    await this.cluster.stop();
  }
}

const reads = ['ApiVersions', 'Metadata', 'FindCoordinator', 'ListOffsets', 'OffsetFetch', 'Fetch'];

/** Kafka counts a Fetch twice, the second time as FetchConsumer or FetchFollower. */
function isRead(name: string): boolean {
  return reads.some((read) => name.startsWith(`${read} `));
}
