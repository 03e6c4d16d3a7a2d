import { ScalerError } from '../../../errors.ts';
import { fromErrorCode } from '../errors.ts';
import { type MetadataAnswer, type MetadataTopic, metadata } from '../protocol/metadata.ts';
import type { Brokers } from './brokers.ts';
import { RecentMap } from './recent-map.ts';
import { type Asked, TurnBatch } from './turn-batch.ts';

/** Where a topic's partitions are, or why that is not known. */
export type TopicLayout = KnownLayout | { readonly kind: 'failed'; readonly error: ScalerError };

export interface KnownLayout {
  readonly kind: 'known';
  /** In order. */
  readonly partitions: readonly number[];
  /** `host:port` of each partition's leader, by partition; undefined where it has none. */
  readonly leaders: readonly (string | undefined)[];
}

/** How long an answer that is not a sound layout is believed: a topic just created is found soon. */
const unsettledMs = 1000;
/** How long a refresh may hold up those who have an older layout to go on with. */
const patienceMs = 250;
const idleMs = 300_000;
const mostTopics = 100_000;
/** Kafka's own limit (org.apache.kafka.common.internals.Topic). */
const longestTopic = 249;
/** More than any topic has. Partitions are places in lists here, and a list is as long as its last place. */
export const mostPartitions = 200_000;

interface Cached {
  readonly layout: TopicLayout;
  readonly isSettled: boolean;
  readonly takenAtMs: number;
}

export interface TopologyOptions {
  brokers: Brokers;
  reconcileMs: number;
  now: () => number;
}

/** What the cluster says of topics: their partitions and leaders, asked for together and kept for one reconcile. */
export class Topology {
  private readonly options: TopologyOptions;
  private readonly topics: RecentMap<string, Cached>;
  private readonly asking = new Map<string, Promise<TopicLayout>>();
  private readonly batch = new TurnBatch<string, TopicLayout>(
    (asked) => this.refresh(asked),
    (topic) => this.partitionsOf(topic),
  );
  private names: { readonly all: readonly string[]; readonly takenAtMs: number } | undefined;
  private listing: Promise<readonly string[]> | undefined;

  constructor(options: TopologyOptions) {
    this.options = options;
    this.topics = new RecentMap({ idleMs, limit: mostTopics, now: options.now });
  }

  /**
   * Where a topic's partitions are. A layout that is to be renewed by a broker that is slow or gone is given as
   * it was.
   * @throws ScalerError `unavailable` when no broker answers and nothing is known
   */
  async layout(topic: string): Promise<TopicLayout> {
    if (topic.length > longestTopic) {
      const error = new ScalerError('invalid', `a topic's name has at most ${longestTopic} characters`);
      return { kind: 'failed', error };
    }
    const cached = this.topics.get(topic);
    if (cached && this.isFresh(cached)) return cached.layout;
    return this.asking.get(topic) ?? this.ask(topic);
  }

  /** Every topic we may see, but Kafka's own. @throws ScalerError `unavailable` */
  async topicNames(): Promise<readonly string[]> {
    if (this.names && this.isCurrent(this.names.takenAtMs)) return this.names.all;
    this.listing ??= this.list().finally(() => {
      this.listing = undefined;
    });
    return this.listing;
  }

  /** The leader as last heard, without asking anyone. */
  locate(topic: string, partition: number): string | undefined {
    const layout = this.topics.peek(topic)?.layout;
    return layout?.kind === 'known' ? layout.leaders[partition] : undefined;
  }

  /** What is known of the topic has turned out to be stale. */
  forget(topic: string): void {
    this.topics.delete(topic);
    this.asking.delete(topic);
  }

  private ask(topic: string): Promise<TopicLayout> {
    const answer = this.batch.ask(topic).finally(() => {
      if (this.asking.get(topic) === answer) this.asking.delete(topic);
    });
    this.asking.set(topic, answer);
    return answer;
  }

  /** As last heard. */
  private partitionsOf(topic: string): number {
    const layout = this.topics.peek(topic)?.layout;
    return layout?.kind === 'known' ? layout.partitions.length : 1;
  }

  private async refresh(asked: readonly Asked<string, TopicLayout>[]): Promise<void> {
    const patience = setTimeout(() => this.answerFromMemory(asked), patienceMs);
    try {
      const request = metadata({ topics: [...new Set(asked.map(({ item }) => item))] });
      const answer = await this.options.brokers.askAny((send) => send(request));
      const takenAtMs = this.options.now();
      const layouts = readLayouts(answer);
      this.options.brokers.learn(answer.brokers.map(({ address }) => address));
      for (const { item, resolve } of asked) {
        const layout = layouts.get(item) ?? unanswered();
        this.topics.set(item, { layout, isSettled: isSettled(layout), takenAtMs });
        resolve(layout);
      }
    } catch (reason) {
      this.answerFromMemory(asked);
      throw reason;
    } finally {
      clearTimeout(patience);
    }
  }

  private answerFromMemory(asked: readonly Asked<string, TopicLayout>[]): void {
    for (const { item, resolve } of asked) {
      const layout = this.topics.peek(item)?.layout;
      if (layout?.kind === 'known') resolve(layout);
    }
  }

  private async list(): Promise<readonly string[]> {
    const request = metadata({ topics: 'all' });
    const answer = await this.options.brokers.askAny((send) => send(request));
    const own = answer.topics.filter(({ topic, internal }) => !internal && !topic.startsWith('__'));
    const all = own.map(({ topic }) => topic).sort();
    this.names = { all, takenAtMs: this.options.now() };
    return all;
  }

  private isFresh({ isSettled, takenAtMs }: Cached): boolean {
    return isSettled ? this.isCurrent(takenAtMs) : this.options.now() - takenAtMs < unsettledMs;
  }

  /**
   * Taken in the present span of the clock, not merely less than a reconcile ago: all topics then grow old
   * together and one request refreshes them, however scattered the first reads were.
   */
  private isCurrent(takenAtMs: number): boolean {
    const { now, reconcileMs } = this.options;
    return Math.floor(takenAtMs / reconcileMs) === Math.floor(now() / reconcileMs);
  }
}

function readLayouts({ brokers, topics }: MetadataAnswer): Map<string, TopicLayout> {
  const addresses = new Map(brokers.map(({ nodeId, address }) => [nodeId, address]));
  return new Map(topics.map((topic) => [topic.topic, readLayout(topic, addresses)]));
}

function readLayout(
  { errorCode, partitions }: MetadataTopic,
  addresses: ReadonlyMap<number, string>,
): TopicLayout {
  if (errorCode !== 0) return { kind: 'failed', error: fromErrorCode(errorCode, 'the topic') };
  const numbers = partitions.map(({ partition }) => partition).sort((a, b) => a - b);
  const [least = 0, most = -1] = [numbers[0], numbers.at(-1)];
  if (least < 0 || most >= mostPartitions) {
    const text = `the broker speaks of partitions ${least} to ${most}: at most ${mostPartitions} are believed`;
    return { kind: 'failed', error: new ScalerError('unavailable', text) };
  }
  const leaders: (string | undefined)[] = new Array(most + 1).fill(undefined);
  for (const { partition, leader } of partitions) leaders[partition] = addresses.get(leader);
  return { kind: 'known', partitions: numbers, leaders };
}

function isSettled(layout: TopicLayout): boolean {
  return (
    layout.kind === 'known' &&
    layout.partitions.length > 0 &&
    layout.partitions.every((partition) => layout.leaders[partition] !== undefined)
  );
}

function unanswered(): TopicLayout {
  return {
    kind: 'failed',
    error: new ScalerError('unavailable', 'the brokers said nothing about the topic'),
  };
}
