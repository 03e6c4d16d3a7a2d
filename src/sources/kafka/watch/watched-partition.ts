import type { IsolationLevel } from '../snapshot.ts';
import type { PartitionEnd } from './ports.ts';
import type { SubjectWatch } from './subject-watch.ts';

/** The session a partition is in, as the partition sees it. */
export interface PartitionHost {
  readonly address: string;
  readonly isolationLevel: IsolationLevel;
  /** When the broker last answered a poll of this session. */
  readonly answeredAtMs: number | undefined;
  /** Whether the broker ever went on with a session it had granted. */
  readonly isProven: boolean;
  /** Whether the broker had already gone on with another session when this one was begun. */
  readonly isSpare: boolean;
  remove(partition: WatchedPartition): void;
}

/**
 * `waiting`: the broker has not yet answered a request that contained it. `renewing`: it had, but the session
 * was evicted and its successor has not.
 */
export type Phase = 'waiting' | 'acknowledged' | 'renewing';

/** One partition in a session, watched from one offset for every subject that wants it. */
export class WatchedPartition {
  readonly key: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly watches = new Set<SubjectWatch>();
  phase: Phase = 'waiting';
  private current: PartitionHost;
  /** The session that takes over. Until its broker has answered for the partition, both have it. */
  private next: PartitionHost | undefined;

  constructor(key: string, { topic, partition, end }: PartitionEnd, host: PartitionHost) {
    this.key = key;
    this.topic = topic;
    this.partition = partition;
    this.offset = end;
    this.current = host;
  }

  get host(): PartitionHost {
    return this.current;
  }

  get isMoving(): boolean {
    return this.next !== undefined;
  }

  moveTo(host: PartitionHost | undefined): void {
    this.next = host;
  }

  /** The broker has answered for the partition in this session: it is the only one from now on. False: it was taken out meanwhile. */
  acknowledge(host: PartitionHost): boolean {
    if (this.watches.size === 0 || (host !== this.current && host !== this.next)) return false;
    this.phase = 'acknowledged';
    if (host === this.next) {
      this.current.remove(this);
      this.current = host;
      this.next = undefined;
    }
    return true;
  }

  /** Takes it out of its session, and out of the one that is taking over. */
  leave(): void {
    this.current.remove(this);
    this.next?.remove(this);
    this.next = undefined;
  }
}

/** A topic's name has no slash in it. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
