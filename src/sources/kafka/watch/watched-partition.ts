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
  readonly host: PartitionHost;
  readonly watches = new Set<SubjectWatch>();
  phase: Phase = 'waiting';

  constructor(key: string, { topic, partition, end }: PartitionEnd, host: PartitionHost) {
    this.key = key;
    this.topic = topic;
    this.partition = partition;
    this.offset = end;
    this.host = host;
  }
}

/** A topic's name has no slash in it. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
