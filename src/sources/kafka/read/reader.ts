import { ScalerError } from '../../../errors.ts';
import type { Deliver, Subject } from '../../source.ts';
import type { KafkaNeed, KafkaSnapshot, PartitionOffsets, TopicOffsets } from '../snapshot.ts';
import { inTurns } from '../turns.ts';
import type { Cluster } from './cluster.ts';
import type { Commits } from './commits.ts';
import { noFaults, type Offsets } from './offsets.ts';
import { RecentMap } from './recent-map.ts';
import { TopicPatterns } from './topic-pattern.ts';
import type { TopicRange, TopicRanges } from './topic-ranges.ts';
import type { Topology } from './topology.ts';

const idleMs = 300_000;
const mostGroups = 100_000;
/** A STRING of Kafka's protocol has its length in an int16. */
const longestGroupBytes = 0x7fff;

/**
 * Reads subjects, each on its own: one that fails or waits for a broker that hangs does not touch the others.
 * They share requests all the same, since what is asked for in one turn of the event loop goes out together.
 */
export class KafkaReader {
  private readonly topology: Topology;
  private readonly commits: Commits;
  private readonly ranges: TopicRanges;
  private readonly patterns = new TopicPatterns();
  /** The topics a group had commits for last time, so that their ends are asked for along with the commits. */
  private readonly committedTopics: RecentMap<string, readonly string[]>;

  constructor({ topology, commits, ranges, now }: Cluster) {
    this.topology = topology;
    this.commits = commits;
    this.ranges = ranges;
    this.committedTopics = new RecentMap({ idleMs, limit: mostGroups, now });
  }

  /** Delivers each subject exactly once, when it is there or the signal aborts. Never rejects. */
  async read(
    subjects: readonly Subject<KafkaNeed>[],
    deliver: Deliver<KafkaSnapshot>,
    signal: AbortSignal,
  ): Promise<void> {
    const abort = rejectOnAbort(signal);
    try {
      const reads: Promise<void>[] = [];
      for await (const part of inTurns(subjects)) {
        for (const subject of part) reads.push(this.deliverOne(subject, deliver, abort.rejection));
      }
      await Promise.all(reads);
    } finally {
      abort.stop();
    }
  }

  private async deliverOne(
    subject: Subject<KafkaNeed>,
    deliver: Deliver<KafkaSnapshot>,
    abort: Promise<never>,
  ): Promise<void> {
    deliver(subject.key, await this.readOne(subject, abort));
  }

  private async readOne({ needs }: Subject<KafkaNeed>, abort: Promise<never>) {
    try {
      // The key is made of the whole need, so a subject has one.
      const need = needs[0];
      if (need === undefined) throw new ScalerError('internal', 'a kafka subject without a need');
      return { snapshot: { topics: await Promise.race([this.topicsOf(need), abort]) } };
    } catch (reason) {
      return ScalerError.from(reason);
    }
  }

  private async topicsOf(need: KafkaNeed): Promise<KafkaSnapshot['topics']> {
    if (Buffer.byteLength(need.consumerGroup) > longestGroupBytes) {
      throw new ScalerError('invalid', `consumerGroup: has more than ${longestGroupBytes} bytes`);
    }
    if (need.topics.length > 0) return this.readTopics(need, need.topics);
    if (need.topicPattern !== '') {
      const names = await this.topology.topicNames();
      return this.readTopics(need, await this.patterns.matching(need.topicPattern, names));
    }
    return this.readCommitted(need);
  }

  private async readTopics(need: KafkaNeed, topics: readonly string[]): Promise<KafkaSnapshot['topics']> {
    const reads: Promise<[string, TopicOffsets]>[] = [];
    for await (const part of inTurns([...new Set(topics)])) {
      for (const topic of part) reads.push(this.readTopic(need, topic));
    }
    return new Map(await Promise.all(reads));
  }

  private async readTopic(need: KafkaNeed, topic: string): Promise<[string, TopicOffsets]> {
    const [range, commits] = await Promise.all([
      this.ranges.of(topic, need.isolationLevel),
      this.commitsOf(need.consumerGroup, topic),
    ]);
    return [topic, combine(range, commits)];
  }

  /** A topic that is not there has no commits to ask for; its range says why. */
  private async commitsOf(group: string, topic: string): Promise<Offsets> {
    const layout = await this.topology.layout(topic);
    return layout.kind === 'failed' ? noCommits : this.commits.of(group, topic, layout.partitions);
  }

  private async readCommitted({
    consumerGroup,
    isolationLevel,
  }: KafkaNeed): Promise<KafkaSnapshot['topics']> {
    const remembered = this.committedTopics.get(consumerGroup) ?? [];
    const early = new Map(remembered.map((topic) => [topic, this.ranges.of(topic, isolationLevel)]));
    // If the commits fail, nobody waits for these any more.
    for (const range of early.values()) range.catch(() => {});
    const committed = await this.commits.all(consumerGroup);
    this.committedTopics.set(consumerGroup, [...committed.keys()]);
    const read = [...committed].map(async ([topic, commits]): Promise<[string, TopicOffsets]> => {
      const range = await (early.get(topic) ?? this.ranges.of(topic, isolationLevel));
      return [topic, combine(range, commits)];
    });
    return new Map(await Promise.all(read));
  }
}

const noCommits: Offsets = { values: [], faults: noFaults };

function combine(range: TopicRange, commits: Offsets): TopicOffsets {
  if (range.kind === 'failed') return range;
  const { starts, ends } = range;
  const partitions: PartitionOffsets[] = [];
  let faults: Map<number, ScalerError> | undefined;
  for (const partition of range.partitions) {
    const end = ends.values[partition];
    const logStart = starts.values[partition];
    const fault = ends.faults.get(partition) ?? starts.faults.get(partition) ?? commits.faults.get(partition);
    if (fault === undefined && end !== undefined && logStart !== undefined) {
      partitions.push({ partition, logStart, end, committed: commits.values[partition] });
    } else {
      faults ??= new Map();
      faults.set(partition, fault ?? new ScalerError('unavailable', 'the partition could not be read'));
    }
  }
  // A copy is as long as what is in it; what has grown by `push` has room for sixteen more.
  return { kind: 'read', partitions: partitions.slice(), faults: faults ?? noFaults };
}

function rejectOnAbort(signal: AbortSignal): { rejection: Promise<never>; stop(): void } {
  let onAbort = (): void => {};
  const rejection = new Promise<never>((_, reject) => {
    onAbort = () =>
      reject(new ScalerError('unavailable', 'Kafka did not answer before the read was given up'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  // With no subject to read nobody races it.
  rejection.catch(() => {});
  return { rejection, stop: () => signal.removeEventListener('abort', onAbort) };
}
