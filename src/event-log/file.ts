import { epochNowMs } from '../clock.ts';
import { ScalerError } from '../errors.ts';
import type { EventFeed, InboundEvent } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventLog } from './event-log.ts';
import { Followers, Replays } from './followers.ts';
import { decode, type EventStore, encode } from './level-store.ts';

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

/** One write to the disk takes about as long for a thousand events as for one. */
const maxGroup = 1_000;
/** Ingest bounds what is under way by its bytes; this is for many small ones. */
const maxWaiting = 50_000;

interface Waiting {
  readonly event: InboundEvent;
  resolve(): void;
  reject(reason: ScalerError): void;
}

/** Writes events in groups: those that come while a write is under way go together into the next one. */
class GroupWriter {
  private readonly write: (events: readonly InboundEvent[]) => Promise<void>;
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;
  private closed = false;

  /** `write` rejects with ScalerError. */
  constructor(write: (events: readonly InboundEvent[]) => Promise<void>) {
    this.write = write;
  }

  append(event: InboundEvent): Promise<void> {
    if (this.closed) return Promise.reject(new ScalerError('unavailable', 'the event log is closed'));
    if (this.waiting.length >= maxWaiting) {
      const error = `${maxWaiting} events wait for the disk of the event log: it is too slow for them`;
      return Promise.reject(new ScalerError('exhausted', error));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ event, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Takes no more; resolves when all that was taken is written. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    // All that is appended in this turn goes into the first group.
    await undefined;
    while (this.waiting.length > 0) await this.writeGroup(this.waiting.splice(0, maxGroup));
    this.running = undefined;
  }

  private async writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      await this.write(group.map(({ event }) => event));
      for (const { resolve } of group) resolve();
    } catch (reason) {
      const error = ScalerError.from(reason);
      for (const { reject } of group) reject(error);
    }
  }
}

interface Kept {
  /** The longest that an event is kept, in ms. */
  readonly retentionMs: number;
  readonly maxEvents: number;
}

interface CompactionOptions extends Kept {
  readonly store: Pick<EventStore, 'read' | 'remove'>;
  /** The last sequence that is kept. */
  readonly last: () => number;
  /** Since when all events are kept, as the store says, in ms since 1970. */
  readonly keptSinceMs: number;
  readonly log: Logger;
  /** In ms since 1970. */
  readonly now: () => number;
}

/** Takes old events away, from the front, a bounded number in each turn of the event loop. */
class Compaction {
  keptSinceMs: number;
  private readonly options: CompactionOptions;
  private removedUpTo = 0;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(options: CompactionOptions) {
    this.options = options;
    this.keptSinceMs = options.keptSinceMs;
  }

  /** Whether there is a tenth more than is to be kept. */
  get due(): boolean {
    const { last, maxEvents } = this.options;
    return this.running === undefined && last() - this.removedUpTo > maxEvents * 1.1;
  }

  /** One at a time; a second call waits for the first. Never rejects. */
  run(): Promise<void> {
    this.running ??= this.compact()
      .catch((reason: unknown) => {
        if (this.stopped) return;
        const { message } = ScalerError.from(reason);
        this.options.log.warn({ error: message }, 'old events could not be removed; tried again later');
      })
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async compact(): Promise<void> {
    const { store, last } = this.options;
    for await (const entries of store.read(this.removedUpTo, last())) {
      const sequences: number[] = [];
      let keptSinceMs = this.keptSinceMs;
      for (const { sequence, text } of entries) {
        const event = decode(text);
        if (event !== undefined && this.isKept(sequence, event.receivedAtMs)) break;
        sequences.push(sequence);
        keptSinceMs = Math.max(keptSinceMs, event?.receivedAtMs ?? 0);
      }
      if (sequences.length > 0) await this.remove(sequences, keptSinceMs);
      if (this.stopped || sequences.length < entries.length) return;
    }
  }

  private isKept(sequence: number, receivedAtMs: number): boolean {
    const { last, maxEvents, retentionMs, now } = this.options;
    return sequence > last() - maxEvents && receivedAtMs >= now() - retentionMs;
  }

  private async remove(sequences: readonly number[], keptSinceMs: number): Promise<void> {
    await this.options.store.remove(sequences, keptSinceMs);
    this.keptSinceMs = keptSinceMs;
    this.removedUpTo = sequences.at(-1) ?? this.removedUpTo;
  }
}
