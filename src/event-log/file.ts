import { epochNowMs } from '../clock.ts';
import { ScalerError } from '../errors.ts';
import type { EventFeed, InboundEvent } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import { Compaction, type Kept } from './compaction.ts';
import type { EventLog } from './event-log.ts';
import { Followers } from './followers.ts';
import { GroupWriter } from './group-writer.ts';
import { Replays } from './replays.ts';
import type { EventStore } from './store.ts';
import { encode } from './stored-event.ts';

const compactEveryMs = 60_000;
/** A store that could not be written to is opened again at most this often. */
const mendEveryMs = 1_000;

export interface FileEventLogOptions extends Kept {
  readonly store: EventStore;
  readonly log: Logger;
}

/**
 * Keeps events on a disk: what `append` has resolved for is there after any end of the process. One process
 * at a time has the directory.
 */
export class FileEventLog implements EventLog {
  private readonly options: FileEventLogOptions;
  private readonly live: Followers;
  private readonly writer: GroupWriter;
  private readonly replays: Replays;
  private compaction: Compaction | undefined;
  private compactTimer: NodeJS.Timeout | undefined;
  /** The last sequence that is on the disk and has been handed on. */
  private last = 0;
  /** The last one that was given to an event, whatever became of it. */
  private given = 0;
  private broken: { error: ScalerError; mendAtMs: number } | undefined;

  constructor(options: FileEventLogOptions) {
    const { store, log } = options;
    this.options = options;
    this.live = new Followers(log);
    this.writer = new GroupWriter((events) => this.write(events));
    this.replays = new Replays({ store, last: () => this.last, live: this.live, log });
  }

  async open(): Promise<void> {
    const { store, log } = this.options;
    await store.open();
    this.last = await store.last();
    this.given = this.last;
    const keptSinceMs = await store.keptSinceMs();
    if (this.last === 0) log.info({}, 'the event log is new: it knows of nothing that was sent before');
    const compaction = new Compaction({
      ...this.options,
      last: () => this.last,
      keptSinceMs,
      now: epochNowMs,
    });
    this.compaction = compaction;
    await compaction.run();
    this.compactTimer = setInterval(() => void compaction.run(), compactEveryMs);
    this.compactTimer.unref();
  }

  append(event: InboundEvent): Promise<void> {
    return this.writer.append(event);
  }

  feedOf(connection: string): EventFeed {
    return {
      durable: true,
      keptSinceMs: () => this.compaction?.keptSinceMs ?? 0,
      follow: (take, replayed) => {
        const follower = { connection, take, replayed };
        this.replays.join(follower);
        return () => {
          this.replays.leave(follower);
          this.live.remove(follower);
        };
      },
    };
  }

  async close(): Promise<void> {
    clearInterval(this.compactTimer);
    await this.writer.close();
    await Promise.all([this.replays.close(), this.compaction?.close()]);
    this.live.clear();
    await this.options.store.close();
  }

  private async write(events: readonly InboundEvent[]): Promise<void> {
    const entries = events.map((event, i) => ({ sequence: this.given + 1 + i, text: encode(event) }));
    // Never given again: what failed may be on the disk all the same.
    this.given += entries.length;
    if (this.broken !== undefined) await this.mend(this.broken);
    try {
      await this.options.store.put(entries);
    } catch (reason) {
      throw this.broke(reason);
    }
    this.recovered();
    this.last = this.given;
    for (const event of events) this.live.handToAll(event);
    if (this.compaction?.due) void this.compaction.run();
  }

  /** LevelDB takes no write after one that has failed, until it is opened again. */
  private async mend({ error, mendAtMs }: { error: ScalerError; mendAtMs: number }): Promise<void> {
    if (performance.now() < mendAtMs) throw error;
    try {
      await this.options.store.close();
      await this.options.store.open();
    } catch (reason) {
      throw this.broke(reason);
    }
  }

  private broke(reason: unknown): ScalerError {
    const { message } = ScalerError.from(reason);
    const error = new ScalerError('unavailable', `the event log cannot be written to: ${message}`, {
      cause: reason,
    });
    if (this.broken === undefined) {
      const advice = 'events are refused until the event log can be written to; is its disk full?';
      this.options.log.error({ error: message }, advice);
    }
    this.broken = { error, mendAtMs: performance.now() + mendEveryMs };
    return error;
  }

  private recovered(): void {
    if (this.broken === undefined) return;
    this.broken = undefined;
    this.options.log.info({}, 'the event log can be written to again');
  }
}
