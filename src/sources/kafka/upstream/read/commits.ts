import { ScalerError } from '../../../../errors.ts';
import { fromErrorCode } from '../errors.ts';
import type { KafkaAnswer, KafkaRequest } from '../protocol/api.ts';
import { errorCodes } from '../protocol/error-codes.ts';
import { findCoordinator, findCoordinators } from '../protocol/find-coordinator.ts';
import {
  type CommittedOffset,
  type GroupOffsets,
  type GroupTopics,
  offsetFetch,
  offsetFetchSingle,
} from '../protocol/offset-fetch.ts';
import { answerTurn, type Pending, TurnBatch } from '../turns.ts';
import type { Wire } from '../wire/wire.ts';
import type { Brokers, Send } from './brokers.ts';
import { noFaults, type Offsets } from './log-ranges.ts';
import { RecentMap } from './recent-map.ts';
import { mostPartitions } from './topology.ts';

/** A group's commits by topic; partitions without a commit are missing. */
export type GroupCommits = ReadonlyMap<string, Offsets>;

interface Question extends GroupTopics {
  readonly address: string;
}

interface Answer {
  readonly errorCode: number;
  readonly commits: GroupCommits;
}

type PendingQuestion = Pending<Question, Answer>;

const coordinatorMoved: ReadonlySet<number> = new Set([
  errorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  errorCodes.COORDINATOR_NOT_AVAILABLE,
  errorCodes.NOT_COORDINATOR,
]);

const nothing: Offsets = { values: [], faults: noFaults };

/** Committed offsets: one OffsetFetch a coordinator for every request of one turn of the event loop. */
export class Commits {
  private readonly brokers: Brokers;
  private readonly coordinators: Coordinators;
  private readonly batch = new TurnBatch<Question, Answer>(
    (asked) => this.askCoordinators(asked),
    ({ topics }) => (topics === 'all' ? 1 : partitionsOf(topics)),
  );

  constructor(brokers: Brokers, coordinators: Coordinators) {
    this.brokers = brokers;
    this.coordinators = coordinators;
  }

  /** The group's commits in one topic. @throws ScalerError when the group as a whole cannot be read */
  async of(group: string, topic: string, partitions: readonly number[]): Promise<Offsets> {
    const commits = await this.fetch(group, new Map([[topic, partitions]]));
    return commits.get(topic) ?? nothing;
  }

  /** Everything the group has committed. @throws ScalerError as `of` */
  all(group: string): Promise<GroupCommits> {
    return this.fetch(group, 'all');
  }

  private async fetch(group: string, topics: GroupTopics['topics']): Promise<GroupCommits> {
    let answer = await this.ask(group, topics);
    // Its old coordinator says so at once; the new one is asked without waiting for the next read.
    if (answer.errorCode === errorCodes.NOT_COORDINATOR) answer = await this.ask(group, topics);
    const { errorCode, commits } = answer;
    // Where a broker says that a group does not exist, others say that it has no commits.
    if (errorCode === 0 || errorCode === errorCodes.GROUP_ID_NOT_FOUND) return commits;
    throw fromErrorCode(errorCode, `group ${JSON.stringify(group)}`);
  }

  private async ask(group: string, topics: GroupTopics['topics']): Promise<Answer> {
    const address = await this.coordinators.find(group);
    try {
      const answer = await this.batch.ask({ group, topics, address });
      if (coordinatorMoved.has(answer.errorCode)) this.coordinators.forget(group);
      return answer;
    } catch (reason) {
      this.coordinators.forget(group);
      throw reason;
    }
  }

  private async askCoordinators(asked: readonly PendingQuestion[]): Promise<void> {
    await Promise.all([...byAddress(asked)].map(([address, own]) => this.askCoordinator(address, own)));
  }

  private async askCoordinator(address: string, asked: readonly PendingQuestion[]): Promise<void> {
    const groups = mergeGroups(asked);
    try {
      const answers = await this.brokers.ask(address, (send, wire) =>
        askFor(offsetFetch({ groups }), () => groups.map(offsetFetchSingle), send, wire),
      );
      const found = new Map(answers.flatMap((answer) => answer.groups.map((one) => [one.group, one])));
      for (const { item, resolve, reject } of asked) {
        const answer = found.get(item.group);
        await answerTurn();
        if (answer) resolve(readAnswer(answer));
        else reject(unanswered(item.group));
      }
    } catch (reason) {
      for (const { reject } of asked) reject(reason);
    }
  }
}

/** What is asked, by the coordinator that is to answer. */
export function byAddress<A extends { readonly item: { readonly address: string } }>(
  asked: readonly A[],
): ReadonlyMap<string, readonly A[]> {
  const found = new Map<string, A[]>();
  for (const one of asked) {
    const others = found.get(one.item.address);
    if (others) others.push(one);
    else found.set(one.item.address, [one]);
  }
  return found;
}

function partitionsOf(topics: ReadonlyMap<string, readonly number[]>): number {
  let count = 0;
  for (const partitions of topics.values()) count += partitions.length;
  return count;
}

/** The request for each group, once: some brokers refuse a group that occurs twice in a request. */
function mergeGroups(asked: readonly PendingQuestion[]): GroupTopics[] {
  const merged = new Map<string, GroupTopics['topics']>();
  for (const { item } of asked) {
    const known = merged.get(item.group);
    if (known === undefined || item.topics === 'all') merged.set(item.group, item.topics);
    else if (known !== 'all') merged.set(item.group, mergeTopics(known, item.topics));
  }
  return [...merged].map(([group, topics]) => ({ group, topics }));
}

type Topics = ReadonlyMap<string, readonly number[]>;

/** Two who ask in one turn may know a topic before and after it grew. */
function mergeTopics(known: Topics, more: Topics): Topics {
  const merged = known instanceof MergedTopics ? known : new MergedTopics(known);
  for (const [topic, partitions] of more) {
    if (partitions.length > (merged.get(topic)?.length ?? 0)) merged.set(topic, partitions);
  }
  return merged;
}

/** A list of topics that we may extend: a group with many topics comes in as many requests. */
class MergedTopics extends Map<string, readonly number[]> {}

/** One request for all groups, or one each where the broker is older than Kafka 3.0. */
async function askFor<T extends KafkaAnswer>(
  together: KafkaRequest<T>,
  each: () => readonly KafkaRequest<T>[],
  send: Send,
  wire: Wire,
): Promise<readonly T[]> {
  if (wire.takes(together)) return [await send(together)];
  return Promise.all(each().map((request) => send(request)));
}

function readAnswer({ errorCode, topics }: GroupOffsets): Answer {
  return { errorCode, commits: new Map(topics.map((one) => [one.topic, readOffsets(one.partitions)])) };
}

function readOffsets(partitions: readonly CommittedOffset[]): Offsets {
  const values: (number | undefined)[] = new Array(placesOf(partitions)).fill(undefined);
  let faults: Map<number, ScalerError> | undefined;
  for (const { partition, errorCode, committed } of partitions) {
    if (errorCode !== 0) {
      faults ??= new Map();
      faults.set(partition, fromErrorCode(errorCode, 'the commit of the partition'));
    } else if (partition >= 0 && partition < values.length) {
      values[partition] = committed;
    }
  }
  return { values, faults: faults ?? noFaults };
}

/** How long a list is that has a place for each partition. */
function placesOf(partitions: readonly CommittedOffset[]): number {
  let most = -1;
  for (const { partition } of partitions) if (partition < mostPartitions) most = Math.max(most, partition);
  return most + 1;
}

function unanswered(group: string): ScalerError {
  return new ScalerError('unavailable', `the coordinator said nothing about group ${JSON.stringify(group)}`);
}

const idleMs = 300_000;
const mostGroups = 100_000;
const mostTexts = 1000;

export interface CoordinatorsOptions {
  brokers: Brokers;
  now: () => number;
}

/** Which broker keeps each group's commits. Asked for once, until somebody finds it is not so any more. */
export class Coordinators {
  private readonly brokers: Brokers;
  private readonly addresses: RecentMap<string, string>;
  private readonly texts = new Map<string, string>();
  private readonly batch = new TurnBatch<string, string>((asked) => this.refresh(asked));

  constructor({ brokers, now }: CoordinatorsOptions) {
    this.brokers = brokers;
    this.addresses = new RecentMap({ idleMs, limit: mostGroups, now });
  }

  /** The coordinator's `host:port`. @throws ScalerError */
  async find(group: string): Promise<string> {
    return this.addresses.get(group) ?? this.batch.ask(group);
  }

  forget(group: string): void {
    this.addresses.delete(group);
  }

  /** Each answer is a text of its own, and brokers are few: one is kept of those that are equal. */
  private oneOf(address: string): string {
    const known = this.texts.get(address);
    if (known !== undefined) return known;
    if (this.texts.size >= mostTexts) this.texts.clear();
    this.texts.set(address, address);
    return address;
  }

  private async refresh(asked: readonly Pending<string, string>[]): Promise<void> {
    const groups = [...new Set(asked.map(({ item }) => item))];
    const answers = await this.brokers.askAny((send, wire) =>
      askFor(
        findCoordinators({ groups }),
        () => groups.map((group) => findCoordinator({ group })),
        send,
        wire,
      ),
    );
    const found = new Map(answers.flatMap(({ coordinators }) => coordinators.map((one) => [one.group, one])));
    for (const { item, resolve, reject } of asked) {
      const answer = found.get(item);
      const what = `the coordinator of group ${JSON.stringify(item)}`;
      if (answer === undefined) {
        reject(new ScalerError('unavailable', `the brokers said nothing about ${what}`));
      } else if (answer.errorCode !== 0) {
        reject(fromErrorCode(answer.errorCode, what));
      } else {
        const address = this.oneOf(answer.address);
        this.addresses.set(item, address);
        resolve(address);
      }
    }
  }
}
