import { ScalerError } from '../../../../errors.ts';
import { inTurns, ownTurn } from '../../../../turns.ts';
import type { Deliver, Subject } from '../../../source.ts';
import {
  type IsolationLevel,
  isSome,
  type KafkaNeed,
  type KafkaSnapshot,
  type PartitionOffsets,
  type TopicOffsets,
} from '../../rules/snapshot.ts';
import { subjectsInATurn } from '../turns.ts';
import { Brokers, type BrokersOptions } from './brokers.ts';
import { Commits, Coordinators } from './commits.ts';
import {
  LeaderOffsets,
  LogStarts,
  noFaults,
  type Offsets,
  type TopicRange,
  TopicRanges,
} from './log-ranges.ts';
import { GroupMembers } from './members.ts';
import { RecentMap } from './recent-map.ts';
import { type TopicLayout, TopicPatterns, Topology } from './topology.ts';

const idleMs = 300_000;
const mostGroups = 100_000;
/** A STRING of Kafka's protocol has its length in an int16. */
const longestGroupBytes = 0x7fff;

/**
 * Reads subjects, each on its own: one that fails or waits for a broker that hangs does not touch the others.
 * They still share requests, since everything of one turn of the event loop goes out together.
 */
export class KafkaReader {
  private readonly topology: Topology;
  private readonly commits: Commits;
  private readonly ranges: TopicRanges;
  private readonly members: GroupMembers;
  private readonly patterns = new TopicPatterns();
  /** The topics a group had commits for last time, so that their ends are read along with the commits. */
  private readonly committedTopics: RecentMap<string, readonly string[]>;

  constructor({ topology, commits, ranges, members, now }: Cluster) {
    this.topology = topology;
    this.commits = commits;
    this.ranges = ranges;
    this.members = members;
    this.committedTopics = new RecentMap({ idleMs, limit: mostGroups, now });
  }

  /** Delivers each subject exactly once, when it is there or the signal aborts. Never rejects. */
  async read(
    subjects: readonly Subject<KafkaNeed>[],
    deliver: Deliver<KafkaSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    const waiting = new Set(subjects.map(({ key }) => key));
    const give: Deliver<KafkaSnapshot> = (key, result) => waiting.delete(key) && deliver(key, result);
    const rangeOf = this.rangesOfOneRead();
    const reads: Promise<void>[] = [];
    for await (const part of inTurns(subjects, subjectsInATurn)) {
      for (const subject of part) reads.push(this.deliverOne(subject, give, rangeOf));
    }
    await untilAborted(Promise.all(reads), signal);
    for (const key of waiting) give(key, givenUp);
  }

  /** The logs of a topic are the same for all subjects of a read, which asks for their ends once. */
  private rangesOfOneRead(): RangeOf {
    const levels: Record<IsolationLevel, Map<string, Promise<TopicRange>>> = {
      readCommitted: new Map(),
      readUncommitted: new Map(),
    };
    return (topic, isolationLevel) => {
      const known = levels[isolationLevel].get(topic);
      if (known !== undefined) return known;
      const range = this.ranges.of(topic, isolationLevel);
      levels[isolationLevel].set(topic, range);
      return range;
    };
  }

  private async deliverOne(
    { key, needs }: Subject<KafkaNeed>,
    deliver: Deliver<KafkaSnapshot>,
    rangeOf: RangeOf,
  ): Promise<void> {
    try {
      // The key comes from the need, so a subject has one. But only some may need the members.
      const need = needs[0];
      if (need === undefined) throw new ScalerError('internal', 'a kafka subject without a need');
      const topics = await this.topicsOf(need, rangeOf);
      const counted = needs.some((one) => one.members);
      const snapshot = counted ? { topics, members: this.members.of(need.consumerGroup) } : { topics };
      deliver(key, { snapshot });
    } catch (reason) {
      deliver(key, ScalerError.from(reason));
    }
  }

  private async topicsOf(need: KafkaNeed, rangeOf: RangeOf): Promise<KafkaSnapshot['topics']> {
    if (Buffer.byteLength(need.consumerGroup) > longestGroupBytes) {
      throw new ScalerError('invalid', `consumerGroup: has more than ${longestGroupBytes} bytes`);
    }
    if (need.topics.length > 0) return this.readTopics(need, need.topics, rangeOf);
    return this.withoutGone(
      need.topicPattern === ''
        ? await this.readCommitted(need, rangeOf)
        : await this.readMatching(need, rangeOf),
    );
  }

  private async readMatching(need: KafkaNeed, rangeOf: RangeOf): Promise<KafkaSnapshot['topics']> {
    const names = await this.topology.topicNames();
    return this.readTopics(need, await this.patterns.matching(need.topicPattern, names), rangeOf);
  }

  /** What we found ourselves, and is no more, is no member of the set: a name that was given would be an error. */
  private async withoutGone(topics: KafkaSnapshot['topics']): Promise<KafkaSnapshot['topics']> {
    let left: Map<string, TopicOffsets> | undefined;
    for (const [topic, offsets] of topics) {
      if (offsets.kind === 'whole' || !(await this.topology.isGone(topic).catch(() => false))) continue;
      left ??= new Map(topics);
      left.delete(topic);
    }
    return left ?? topics;
  }

  private async readTopics(
    need: KafkaNeed,
    topics: readonly string[],
    rangeOf: RangeOf,
  ): Promise<KafkaSnapshot['topics']> {
    const reads: Promise<[string, TopicOffsets]>[] = [];
    for (const topic of new Set(topics)) {
      if (reads.length > 0 && reads.length % subjectsInATurn === 0) await ownTurn();
      reads.push(this.readTopic(need, topic, rangeOf));
    }
    return new Map(await Promise.all(reads));
  }

  private async readTopic(
    { consumerGroup, isolationLevel }: KafkaNeed,
    topic: string,
    rangeOf: RangeOf,
  ): Promise<[string, TopicOffsets]> {
    const [range, commits] = await Promise.all([
      rangeOf(topic, isolationLevel),
      this.commitsOf(consumerGroup, topic),
    ]);
    return [topic, await this.withHighWatermarks(topic, range, commits, isolationLevel)];
  }

  /** Where a commit is beyond the last stable offset, it takes the high watermark to say whether there is a log for it. */
  private async withHighWatermarks(
    topic: string,
    range: TopicRange,
    commits: Offsets,
    isolationLevel: IsolationLevel,
  ): Promise<TopicOffsets> {
    if (range.kind === 'failed') return range;
    if (isolationLevel === 'readUncommitted') return combine(range, commits);
    const beyond = range.partitions.filter((at) => (commits.values[at] ?? 0) > (range.ends.values[at] ?? 0));
    if (beyond.length === 0) return combine(range, commits);
    return combine(range, commits, await this.ranges.highWatermarks(topic, beyond));
  }

  /** A topic that is not there has no commits to ask for; its range says why. */
  private async commitsOf(group: string, topic: string): Promise<Offsets> {
    const layout = await this.topology.layout(topic);
    return layout.kind !== 'known' ? noCommits : this.commits.of(group, topic, layout.partitions);
  }

  private async readCommitted(
    { consumerGroup, isolationLevel }: KafkaNeed,
    rangeOf: RangeOf,
  ): Promise<KafkaSnapshot['topics']> {
    const remembered = this.committedTopics.get(consumerGroup) ?? [];
    // If the commits fail, nobody waits for these any more.
    for (const topic of remembered) rangeOf(topic, isolationLevel).catch(() => {});
    const committed = await this.commits.all(consumerGroup);
    const missing = remembered.filter((topic) => !committed.has(topic));
    const hidden = missing.length === 0 ? new Map<string, TopicOffsets>() : await this.hidden(missing);
    this.committedTopics.set(consumerGroup, [...committed.keys(), ...hidden.keys()]);
    const read = [...committed].map(async ([topic, commits]): Promise<[string, TopicOffsets]> => {
      const range = await rangeOf(topic, isolationLevel);
      return [topic, await this.withHighWatermarks(topic, range, commits, isolationLevel)];
    });
    return new Map([...(await Promise.all(read)), ...hidden]);
  }

  /**
   * The topics that we may not see any more: a coordinator silently omits their commits. The commits of the others have
   * expired.
   */
  private async hidden(missing: readonly string[]): Promise<Map<string, TopicOffsets>> {
    const layouts = missing.map(async (topic): Promise<[string, TopicLayout]> => {
      this.topology.forget(topic);
      return [topic, await this.topology.layout(topic)];
    });
    const hidden = new Map<string, TopicOffsets>();
    for (const [topic, layout] of await Promise.all(layouts)) {
      if (layout.kind === 'failed') hidden.set(topic, { kind: 'failed', error: layout.error });
    }
    return hidden;
  }
}

/** Of one read. @throws ScalerError as `TopicRanges.of` */
type RangeOf = (topic: string, isolationLevel: IsolationLevel) => Promise<TopicRange>;
type ReadRange = Extract<TopicRange, { kind: 'read' }>;

const noCommits: Offsets = { values: [], faults: noFaults };

function combine(range: ReadRange, commits: Offsets, highWatermarks?: Offsets): TopicOffsets {
  const { starts, ends } = range;
  const partitions: PartitionOffsets[] = [];
  const faults = new Map<number, ScalerError>();
  for (const partition of range.partitions) {
    const end = ends.values[partition];
    const logStart = starts.values[partition];
    const highWatermark = highWatermarks?.values[partition];
    const fault =
      ends.faults.get(partition) ??
      starts.faults.get(partition) ??
      commits.faults.get(partition) ??
      highWatermarks?.faults.get(partition);
    if (fault !== undefined || end === undefined || logStart === undefined) {
      faults.set(partition, fault ?? new ScalerError('unavailable', 'the partition could not be read'));
      continue;
    }
    const offsets = { partition, logStart, end, committed: commits.values[partition] };
    partitions.push(highWatermark === undefined ? offsets : { ...offsets, highWatermark });
  }
  // A copy has exactly its length. An array that grew by `push` has room for sixteen more.
  const read = partitions.slice();
  if (faults.size > 0) return { kind: 'partial', partitions: read, faults };
  return isSome(read) ? { kind: 'whole', partitions: read } : noPartitions;
}

const noPartitions: TopicOffsets = {
  kind: 'failed',
  error: new ScalerError('unavailable', 'has no partitions yet'),
};

const givenUp = new ScalerError('unavailable', 'Kafka did not answer before the read was given up');

/** Resolves when the work is done or the signal aborts. The work must not reject. */
function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    const end = (): void => resolve();
    signal.addEventListener('abort', end, { once: true });
    void work.then(end).finally(() => signal.removeEventListener('abort', end));
  });
}

export interface ClusterOptions extends BrokersOptions {
  /** How old layouts, topic names and log starts may be. */
  reconcileMs: number;
  /** ms of a monotonic clock; `performance.now` but in tests. */
  now?: () => number;
}

/** Everything one connection knows of its cluster, and the wires to it. */
export class Cluster {
  readonly now: () => number;
  readonly topology: Topology;
  readonly commits: Commits;
  readonly ranges: TopicRanges;
  readonly members: GroupMembers;
  private readonly brokers: Brokers;

  constructor({ reconcileMs, now = () => performance.now(), ...options }: ClusterOptions) {
    const brokers = new Brokers(options);
    const leaders = new LeaderOffsets(brokers);
    const topology = new Topology({ brokers, reconcileMs, now });
    this.now = now;
    this.brokers = brokers;
    this.topology = topology;
    const coordinators = new Coordinators({ brokers, now });
    this.commits = new Commits(brokers, coordinators);
    this.members = new GroupMembers(brokers, coordinators, now);
    this.ranges = new TopicRanges({
      topology,
      leaders,
      starts: new LogStarts({ leaders, reconcileMs, now }),
    });
  }

  /** A connection to this broker died silently. */
  suspect(address: string): void {
    this.brokers.suspect(address);
  }

  /** Resolves when every socket is gone. */
  close(): Promise<void> {
    return this.brokers.close();
  }
}
