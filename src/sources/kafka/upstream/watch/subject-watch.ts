import type { Wake, Watch } from '../../../source.ts';
import type { IsolationLevel } from '../../rules/snapshot.ts';
import type { PartitionEnd } from './settings.ts';

/** Why a watch wakes its subject; each becomes a metric label. */
export type WakeCause = 'record' | 'topic changed' | 'leader moved' | 'watch lost' | 'watch refused';

/** One subject's watch over all its partitions. It wakes at most once, and then ends. */
export class SubjectWatch implements Watch {
  private readonly count: number;
  private readonly wake: Wake;
  private readonly onUnwanted: (partition: WatchedPartition) => void;
  private partitions: WatchedPartition[] = [];
  private over = false;
  private lastConfirmedAtMs: number | undefined;

  /** Of so many partitions. `onUnwanted` gets each one that this watch was the last to leave. */
  constructor(count: number, wake: Wake, onUnwanted: (partition: WatchedPartition) => void) {
    this.count = count;
    this.wake = wake;
    this.onUnwanted = onUnwanted;
  }

  /** Once over, a watch is `refused`: nothing will come of it. */
  get state(): Watch['state'] {
    if (this.over) return 'refused';
    const isArmed = this.hasAll && this.partitions.every(({ phase }) => phase === 'acknowledged');
    return isArmed ? 'armed' : 'arming';
  }

  /**
   * The oldest of the sessions' last answers, so "as of then nothing was appended" holds for every partition.
   * It stands still while a session is renewed, and after the end.
   */
  get confirmedAtMs(): number | undefined {
    if (!this.over && this.wasArmed) {
      this.lastConfirmedAtMs = this.partitions.reduce<number | undefined>(
        (oldest, { host }) => earlier(oldest, host.answeredAtMs),
        undefined,
      );
    }
    return this.lastConfirmedAtMs;
  }

  close(): void {
    if (this.over) return;
    this.lastConfirmedAtMs = this.confirmedAtMs;
    this.over = true;
    for (const partition of this.partitions) {
      if (partition.watches.delete(this) && partition.watches.size === 0) this.onUnwanted(partition);
    }
    this.partitions = [];
  }

  join(partition: WatchedPartition): void {
    this.partitions.push(partition);
    partition.watches.add(this);
  }

  /** Ends the watch and wakes the subject, in that order: the wake may close the watch or arm another. */
  fire(cause: WakeCause): void {
    if (this.over) return;
    this.close();
    this.wake(cause);
  }

  /** An armed subject is read rarely, so it must be woken. One that is still arming is read each second anyway. */
  refuse(): void {
    if (this.over) return;
    if (this.wasArmed) this.fire('watch refused');
    else this.close();
  }

  private get wasArmed(): boolean {
    return this.hasAll && this.partitions.every(({ phase }) => phase !== 'waiting');
  }

  private get hasAll(): boolean {
    return this.partitions.length === this.count;
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

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

  /** Takes it out of its session, and out of the session that takes over. */
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
