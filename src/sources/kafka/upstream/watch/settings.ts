import type { IsolationLevel } from '../../rules/snapshot.ts';

/** What the watch needs to know of the cluster. */
export interface Leaders {
  /** The partition's leader as `host:port`. Undefined while unknown. */
  locate(topic: string, partition: number): string | undefined;
  /** What is known of the topic's leaders is stale: ask again before the next use. */
  forget(topic: string): void;
}

/** Where one partition ended when its subject was read. */
export interface PartitionEnd {
  readonly topic: string;
  readonly partition: number;
  /** The next record will have this offset. */
  readonly end: number;
}

export interface WatchRequest {
  readonly partitions: Iterable<PartitionEnd>;
  /**
   * How `end` was read. A last stable offset stays below the high watermark while a transaction is open. A
   * watch by the high watermark would wake again and again.
   */
  readonly isolationLevel: IsolationLevel;
}

export interface WatchSettings {
  /** A broker walks all partitions of a session on each wake: more than 2,500 cost tens of ms. */
  readonly watchPartitionsPerSession: number;
  /** How long a broker holds a quiet poll. */
  readonly watchMaxWaitMs: number;
  /** The first held poll of a new session: when the broker goes on after it, the session is known to work. */
  readonly firstWaitMs: number;
  /** The first held poll after partitions were added: soon after it, they are in one session with the rest. */
  readonly freshWaitMs: number;
  /** The most sessions to a broker beyond those that are needed for size, so that an addition need not wait for a held poll. */
  readonly spareSessions: number;
  /** How long after its poll should have ended another connection is tried. */
  readonly hedgeAfterMs: number;
  /** How long after its poll should have ended a broker counts as lost, where no other connection is to be had either. */
  readonly graceMs: number;
  /** How long a session without partitions keeps its socket. */
  readonly lingerMs: number;
  /** How long a broker that cannot be reached is left alone. */
  readonly unreachableMs: number;
  /** How long a broker that grants no session, or no spare one, is left alone. */
  readonly notGrantedMs: number;
  /** How long a broker that has no fetch sessions is left alone: it must be another version to have some. */
  readonly noSessionsMs: number;
  /** How long a topic without READ right is left alone. */
  readonly noReadRightMs: number;
}

export const defaultWatchSettings: WatchSettings = {
  watchPartitionsPerSession: 1000,
  watchMaxWaitMs: 10_000,
  firstWaitMs: 500,
  freshWaitMs: 4000,
  spareSessions: 4,
  hedgeAfterMs: 1000,
  graceMs: 10_000,
  lingerMs: 60_000,
  unreachableMs: 5000,
  notGrantedMs: 60_000,
  noSessionsMs: 3_600_000,
  noReadRightMs: 600_000,
};
