import type { Wake, Watch } from '../../source.ts';
import type { WatchedPartition } from './watched-partition.ts';

/** Why a watch wakes its subject; each becomes a metric label. */
export type WakeCause = 'record' | 'topic changed' | 'leader moved' | 'watch lost' | 'watch refused';

/** One subject's watch over all its partitions. It wakes at most once, and is over when it has. */
export class SubjectWatch implements Watch {
  private readonly wake: Wake;
  private readonly onUnwanted: (partition: WatchedPartition) => void;
  private partitions: WatchedPartition[] = [];
  private over = false;
  private lastConfirmedAtMs: number | undefined;

  /** `onUnwanted` is told of each partition that this watch was the last to leave. */
  constructor(wake: Wake, onUnwanted: (partition: WatchedPartition) => void) {
    this.wake = wake;
    this.onUnwanted = onUnwanted;
  }

  /** Once over, a watch is `refused`: nothing will come of it. */
  get state(): Watch['state'] {
    if (this.over) return 'refused';
    return this.partitions.every(({ phase }) => phase === 'acknowledged') ? 'armed' : 'arming';
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

  /** An armed subject is read rarely and has to be told; one that is still arming is read each second anyway. */
  refuse(): void {
    if (this.over) return;
    if (this.wasArmed) this.fire('watch refused');
    else this.close();
  }

  private get wasArmed(): boolean {
    return this.partitions.every(({ phase }) => phase !== 'waiting');
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
