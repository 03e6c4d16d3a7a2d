import { ScalerError } from '../../../../errors.ts';
import { glob } from '../../../../params/glob.ts';
import { inTurns } from '../../../../turns.ts';
import { fromErrorCode } from '../errors.ts';
import { errorCodes } from '../protocol/error-codes.ts';
import { type MetadataAnswer, type MetadataTopic, metadata } from '../protocol/metadata.ts';
import { type Pending, subjectsInATurn, TurnBatch } from '../turns.ts';
import type { Brokers } from './brokers.ts';
import { RecentMap } from './recent-map.ts';

/** Where a topic's partitions are, or why that is not known. `gone`: the cluster knows of no such topic. */
export type TopicLayout = KnownLayout | { readonly kind: 'gone' | 'failed'; readonly error: ScalerError };

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
  /** The first of the answers that all said that it is gone, by its number. */
  readonly goneSince: number | undefined;
}

interface TopicNames {
  readonly all: readonly string[];
  readonly takenAtMs: number;
  /** The last answer before they were asked for, by its number. */
  readonly after: number;
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
  private names: TopicNames | undefined;
  private listing: Promise<TopicNames> | undefined;
  /** The number of answers. Later requests know their content. */
  private answers = 0;

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

  /**
   * Every topic we may see, but Kafka's own, and those that we saw before and are refused now.
   * @throws ScalerError `unavailable`
   */
  async topicNames(): Promise<readonly string[]> {
    return (await this.namesAfter(0)).all;
  }

  /**
   * Whether a topic that was found, not named, is no more: the cluster says so of its name, and has it in no list since.
   * A broker that is late with the news of one is not taken at its word.
   * @throws ScalerError `unavailable`
   */
  async isGone(topic: string): Promise<boolean> {
    const goneSince = this.topics.peek(topic)?.goneSince;
    if (goneSince === undefined) return false;
    const { all } = await this.namesAfter(goneSince);
    return !all.includes(topic);
  }

  private async namesAfter(answer: number): Promise<TopicNames> {
    const { names } = this;
    if (names && this.isCurrent(names.takenAtMs) && names.after >= answer) return names;
    this.listing ??= this.list().finally(() => {
      this.listing = undefined;
    });
    const listed = await this.listing;
    return listed.after >= answer ? listed : this.namesAfter(answer);
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

  private async refresh(asked: readonly Pending<string, TopicLayout>[]): Promise<void> {
    const patience = setTimeout(() => this.answerFromMemory(asked), patienceMs);
    try {
      const request = metadata({ topics: [...new Set(asked.map(({ item }) => item))] });
      const answer = await this.options.brokers.askAny((send) => send(request));
      const takenAtMs = this.options.now();
      this.answers += 1;
      const number = this.answers;
      const layouts = readLayouts(answer);
      this.options.brokers.learn(answer.brokers.map(({ address }) => address));
      for (const { item, resolve } of asked) {
        const layout = layouts.get(item) ?? unanswered();
        const goneSince = layout.kind === 'gone' ? (this.topics.peek(item)?.goneSince ?? number) : undefined;
        this.topics.set(item, { layout, isSettled: isSettled(layout), takenAtMs, goneSince });
        resolve(layout);
      }
    } catch (reason) {
      this.answerFromMemory(asked);
      throw reason;
    } finally {
      clearTimeout(patience);
    }
  }

  private answerFromMemory(asked: readonly Pending<string, TopicLayout>[]): void {
    for (const { item, resolve } of asked) {
      const layout = this.topics.peek(item)?.layout;
      if (layout?.kind === 'known') resolve(layout);
    }
  }

  private async list(): Promise<TopicNames> {
    const request = metadata({ topics: 'all' });
    const [takenAtMs, after] = [this.options.now(), this.answers];
    const answer = await this.options.brokers.askAny((send) => send(request));
    const seen = new Set<string>();
    for (const { topic, internal } of answer.topics)
      if (!internal && !topic.startsWith('__')) seen.add(topic);
    for (const topic of await this.hidden(seen)) seen.add(topic);
    this.names = { all: [...seen].sort(), takenAtMs, after };
    return this.names;
  }

  /**
   * Topics of the last list that are missing in this one and still exist. A list silently omits what our user may not see
   * any more. A request by name shows the refusal.
   */
  private async hidden(seen: ReadonlySet<string>): Promise<readonly string[]> {
    const missing = this.names?.all.filter((topic) => !seen.has(topic)) ?? [];
    const layouts = missing.map((topic) => {
      this.forget(topic);
      return this.layout(topic);
    });
    const found = await Promise.all(layouts);
    return missing.filter((_, at) => found[at]?.kind !== 'gone');
  }

  private isFresh({ isSettled, takenAtMs }: Cached): boolean {
    return isSettled ? this.isCurrent(takenAtMs) : this.options.now() - takenAtMs < unsettledMs;
  }

  /**
   * Read in the present span of the clock, not merely less than a reconcile ago. So all topics expire together, and one
   * request refreshes them, however scattered the first reads were.
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
  if (errorCode !== 0) {
    const kind = errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION ? 'gone' : 'failed';
    return { kind, error: fromErrorCode(errorCode, 'the topic') };
  }
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

/** Which topics match, worked out once for each list of topics. */
export class TopicPatterns {
  /** By the list itself: when the cluster gives a new one, the results go with the old. */
  private readonly results = new WeakMap<readonly string[], Map<string, Promise<readonly string[]>>>();

  /** In the list's order. A thousand names are checked in one turn of the event loop. */
  matching(pattern: string, topics: readonly string[]): Promise<readonly string[]> {
    let ofList = this.results.get(topics);
    if (!ofList) {
      ofList = new Map();
      this.results.set(topics, ofList);
    }
    let matching = ofList.get(pattern);
    if (!matching) {
      matching = filter(topics, glob(pattern));
      ofList.set(pattern, matching);
    }
    return matching;
  }
}

async function filter(
  topics: readonly string[],
  matches: (topic: string) => boolean,
): Promise<readonly string[]> {
  const matching: string[] = [];
  for await (const part of inTurns(topics, subjectsInATurn))
    for (const topic of part) if (matches(topic)) matching.push(topic);
  return matching;
}
