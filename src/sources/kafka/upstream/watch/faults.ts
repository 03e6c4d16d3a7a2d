import type { ScalerError } from '../../../../errors.ts';
import type { Logger } from '../../../../telemetry/log.ts';
import { errorCodes, errorName, leaderMovedCodes } from '../protocol/error-codes.ts';
import type { FetchedPartition } from '../protocol/fetch.ts';
import type { Leaders, WatchSettings } from './settings.ts';
import type { ShardListener } from './shard.ts';
import type { PartitionHost, SubjectWatch, WakeCause, WatchedPartition } from './subject-watch.ts';

/** The most topics or brokers that are remembered to have refused. */
const mostKeys = 10_000;

/**
 * Turns what a session hears into wakes and refusals. A fault never hides an event: either the subject is woken,
 * or its watch is refused and it is read each second.
 */
export class Faults implements ShardListener {
  private readonly leaders: Leaders;
  private readonly log: Logger;
  private readonly settings: WatchSettings;
  private readonly topics = new Refusals();
  private readonly brokers = new Refusals();
  private readonly spares = new Refusals();
  private readonly withoutSessions = new Refusals();
  private readonly onSilent: (host: PartitionHost) => void;

  /** `onSilent`: a connection to the broker died silently. */
  constructor(
    leaders: Leaders,
    log: Logger,
    settings: WatchSettings,
    onSilent: (host: PartitionHost) => void,
  ) {
    this.leaders = leaders;
    this.log = log;
    this.settings = settings;
    this.onSilent = onSilent;
  }

  mayWatch(topic: string, address: string): boolean {
    if (this.topics.isRefused(topic) || this.brokers.isRefused(address)) return false;
    return !this.withoutSessions.isRefused(address);
  }

  /** Whether the broker may be asked for a session beyond those it has granted. */
  maySpare(address: string): boolean {
    return !this.spares.isRefused(address);
  }

  judged(partition: WatchedPartition, verdict: Exclude<Verdict, 'quiet'>, errorCode: number): void {
    const { topic } = partition;
    if (isLeaderStale(errorCode)) this.leaders.forget(topic);
    if (verdict === 'no read right') {
      this.noReadRight(partition);
      return;
    }
    if (verdict === 'watch lost' && this.topics.refuse(topic, this.settings.unreachableMs)) {
      this.log.warn({ topic }, `topic ${topic}: cannot watch, reading instead: ${errorName(errorCode)}`);
    }
    for (const watch of [...partition.watches]) watch.fire(verdict);
  }

  acknowledged({ topic }: WatchedPartition): void {
    this.topics.clear(topic);
  }

  proven({ address }: PartitionHost): void {
    if (!this.brokers.clear(address)) return;
    this.log.info({ broker: address }, `broker ${address}: watching again`);
  }

  notGranted({ address, isSpare }: PartitionHost, partitions: readonly WatchedPartition[]): void {
    const [refusals, what] = isSpare
      ? [this.spares, 'grants no further fetch session, so what comes to rest is watched some seconds later']
      : [this.brokers, 'grants no fetch session, reading instead'];
    if (refusals.refuse(address, this.settings.notGrantedMs)) {
      const hint = 'raise max.incremental.fetch.session.cache.slots to wake at once';
      this.log.warn({ broker: address }, `broker ${address}: ${what}; ${hint}`);
    }
    for (const watch of watchesOf(partitions)) watch.refuse();
  }

  unable({ address }: PartitionHost, partitions: readonly WatchedPartition[]): void {
    if (this.withoutSessions.refuse(address, this.settings.noSessionsMs)) {
      this.log.info(
        { broker: address },
        `broker ${address}: has no fetch sessions (Fetch v7, Kafka 1.1), so its topics are read every activeReadMs instead`,
      );
    }
    for (const watch of watchesOf(partitions)) watch.refuse();
  }

  silent(host: PartitionHost): void {
    const { address } = host;
    this.log.info({ broker: address }, `broker ${address}: a connection died silently; another replaces it`);
    this.onSilent(host);
  }

  lost(host: PartitionHost, partitions: readonly WatchedPartition[], error: ScalerError): void {
    const { address, isProven } = host;
    // A broker that never went on with a session is left alone for a while; else the socket may just have been closed.
    if (!isProven && this.brokers.refuse(address, this.settings.unreachableMs)) {
      this.log.warn(
        { broker: address },
        `broker ${address}: cannot watch, reading instead: ${error.message}`,
      );
    }
    for (const watch of watchesOf(partitions)) {
      if (isProven) watch.fire('watch lost');
      else watch.refuse();
    }
  }

  private noReadRight({ topic, watches }: WatchedPartition): void {
    if (this.topics.refuse(topic, this.settings.noReadRightMs)) {
      const hint = 'grant READ on the topic to wake at once';
      this.log.warn(
        { topic },
        `topic ${topic}: no READ right, so it is read every activeReadMs instead; ${hint}`,
      );
    }
    for (const watch of [...watches]) watch.refuse();
  }
}

/** Each watch once, as a copy: a wake changes what is watched. */
export function watchesOf(partitions: Iterable<WatchedPartition>): Set<SubjectWatch> {
  const watches = new Set<SubjectWatch>();
  for (const partition of partitions) for (const watch of partition.watches) watches.add(watch);
  return watches;
}

/** What said no, and for how long it is not asked again. */
export class Refusals {
  private readonly untilMs = new Map<string, number>();

  /** True when this is news: the key was not refused before, or was cleared since. */
  refuse(key: string, forMs: number): boolean {
    const isNews = !this.untilMs.delete(key);
    this.untilMs.set(key, performance.now() + forMs);
    if (this.untilMs.size > mostKeys) this.dropOldest();
    return isNews;
  }

  isRefused(key: string): boolean {
    const untilMs = this.untilMs.get(key);
    return untilMs !== undefined && performance.now() < untilMs;
  }

  /** True when the key was refused, however long ago. */
  clear(key: string): boolean {
    return this.untilMs.delete(key);
  }

  private dropOldest(): void {
    for (const oldest of this.untilMs.keys()) {
      this.untilMs.delete(oldest);
      return;
    }
  }
}

/**
 * `quiet`: go on. Anything else takes the partition out of its session: an error that stayed in would end every
 * poll at once.
 */
export type Verdict = 'quiet' | 'no read right' | WakeCause;

const unknownTopic: ReadonlySet<number> = new Set([
  errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
  errorCodes.UNKNOWN_TOPIC_ID,
  errorCodes.INCONSISTENT_TOPIC_ID,
]);
const notHere: ReadonlySet<number> = new Set(leaderMovedCodes);

/** Whether an answer means that the leader's address is stale. */
export function isLeaderStale(errorCode: number): boolean {
  return notHere.has(errorCode) || unknownTopic.has(errorCode);
}

/**
 * Only one partition of an answer is sure to carry records, however many have some (KIP-74). The others show them only by
 * their end. For a `readCommitted` session that is the last stable offset.
 */
export function judge(answer: FetchedPartition, offset: number, readCommitted: boolean): Verdict {
  const { errorCode } = answer;
  if (errorCode === 0) {
    const end = readCommitted ? answer.lastStableOffset : answer.highWatermark;
    return end > offset || answer.recordBytes > 0 ? 'record' : 'quiet';
  }
  if (errorCode === errorCodes.TOPIC_AUTHORIZATION_FAILED) return 'no read right';
  // Out of range: the log was truncated, or the topic was created again and is shorter.
  if (errorCode === errorCodes.OFFSET_OUT_OF_RANGE || unknownTopic.has(errorCode)) return 'topic changed';
  return notHere.has(errorCode) ? 'leader moved' : 'watch lost';
}
