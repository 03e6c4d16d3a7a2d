import { ScalerError } from '../errors.ts';
import type { EventFeed, InboundEvent } from '../sources/inbound.ts';
import type { Logger } from '../telemetry/log.ts';
import { Compaction, type Retention } from './compaction.ts';
import type { EventLog } from './event-log.ts';
import { fairShare } from './fair-share.ts';
import { type Damage, Followers, Replays } from './followers.ts';
import { Heads } from './heads.ts';
import { type EventStore, encode, type Head } from './level-store.ts';

const compactEveryMs = 60_000;
/** After a failed write the store is opened again, at most this often. */
const mendEveryMs = 1_000;

export interface FileEventLogOptions extends Retention {
  readonly store: EventStore;
  readonly log: Logger;
}

/**
 * Keeps events on disk. Once `append` has resolved, the event survives any end of the process. One process at a time
 * uses the directory.
 */
export class FileEventLog implements EventLog {
  private readonly options: FileEventLogOptions;
  private readonly live: Followers;
  private readonly writer: GroupWriter;
  private readonly replays: Replays;
  private readonly heads: Heads;
  private readonly compaction: Compaction;
  private readonly counter: Counter;
  private compactTimer: NodeJS.Timeout | undefined;
  /** The last sequence of each connection that is on disk and was handed to the followers. */
  private lasts = new Map<string, number>();
  private broken: { error: ScalerError; mendAtMs: number } | undefined;

  constructor(options: FileEventLogOptions) {
    const { store, log } = options;
    const last = (connection: string): number => this.lasts.get(connection) ?? 0;
    this.options = options;
    this.live = new Followers(log);
    this.writer = new GroupWriter((events) => this.write(events));
    this.heads = new Heads(store, log);
    this.compaction = new Compaction({ ...options, heads: this.heads, lasts: () => this.lasts });
    this.counter = new Counter(store, log);
    const head = (connection: string): Head => this.heads.of(connection);
    const damaged = (damage: Damage): void => this.damaged(damage);
    this.replays = new Replays({ store, last, head, damaged, live: this.live, log });
  }

  async open(): Promise<void> {
    const { store, log } = this.options;
    await store.open();
    this.lasts = await store.lasts();
    await this.heads.load();
    const written = await store.written();
    const { total } = this;
    const isNew = total === 0 && this.heads.size === 0 && (written ?? 0) === 0;
    if (isNew) log.info({}, 'the event log is new: events from before now are unknown');
    else if (written === undefined || written > total) await this.lost(written, total);
    await store.write(total);
    await this.compaction.run();
    this.compactTimer = setInterval(() => void this.compaction.run(), compactEveryMs);
    this.compactTimer.unref();
  }

  append(event: InboundEvent): Promise<void> {
    return this.writer.append(event);
  }

  feedOf(connection: string): EventFeed {
    return {
      keptSince: () => this.heads.of(connection).since,
      follow: (take, replayed) => {
        const follower = { connection, take, replayed };
        this.heads.add(connection);
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
    await Promise.all([this.replays.close(), this.compaction.close()]);
    await Promise.all([this.heads.written(), this.counter.written()]);
    this.live.clear();
    await this.options.store.close();
  }

  /** How many events were ever stored. */
  private get total(): number {
    let total = 0;
    for (const last of this.lasts.values()) total += last;
    return total;
  }

  private async write(events: readonly InboundEvent[]): Promise<void> {
    if (this.broken !== undefined) await this.mend(this.broken);
    const lasts = new Map(this.lasts);
    const entries = events.map((event) => {
      const { connection } = event;
      const sequence = (lasts.get(connection) ?? 0) + 1;
      lasts.set(connection, sequence);
      return { connection, sequence, text: encode(event) };
    });
    try {
      await this.options.store.put(entries);
    } catch (reason) {
      throw this.broke(reason);
    }
    this.recovered();
    this.lasts = lasts;
    this.counter.set(this.total);
    for (const event of events) this.live.handToAll(event);
    if (this.compaction.due) void this.compaction.run();
  }

  /** After a failed write LevelDB takes no other until it is opened again. The failed one may be on disk all the same. */
  private async mend({ error, mendAtMs }: { error: ScalerError; mendAtMs: number }): Promise<void> {
    if (performance.now() < mendAtMs) throw error;
    const { store } = this.options;
    try {
      await this.counter.written();
      await store.close();
      await store.open();
      this.lasts = await store.lasts();
    } catch (reason) {
      throw this.broke(reason);
    }
  }

  /** The end of the log is missing, or may be. Whose events those were is unknown. */
  private async lost(written: number | undefined, total: number): Promise<void> {
    this.options.log.error(
      { events: total, ...(written === undefined ? {} : { written }) },
      'the event log is damaged: events that were written are missing; numbers of `events` connections are not known for ttlSeconds',
    );
    await this.heads.allLost(this.lasts);
  }

  private damaged({ connection, upTo, damaged, missing }: Damage): void {
    this.options.log.error(
      { connection, damaged, missing },
      'the event log is damaged: events of the connection are lost, and its number is not known for ttlSeconds',
    );
    this.heads.lost(connection, upTo);
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

/** Writes how many events were ever stored. Counts that come during a write are merged. No event waits for it. */
class Counter {
  private readonly store: Pick<EventStore, 'write'>;
  private readonly log: Logger;
  private total = 0;
  private writing: Promise<void> | undefined;
  private saidFailed = false;

  constructor(store: Pick<EventStore, 'write'>, log: Logger) {
    this.store = store;
    this.log = log;
  }

  set(total: number): void {
    this.total = total;
    this.writing ??= this.write().finally(() => {
      this.writing = undefined;
    });
  }

  async written(): Promise<void> {
    await this.writing;
  }

  private async write(): Promise<void> {
    for (let written = -1; written !== this.total; ) {
      written = this.total;
      try {
        await this.store.write(written);
      } catch (reason) {
        if (!this.saidFailed) {
          const { message } = ScalerError.from(reason);
          this.log.warn({ error: message }, 'the event log cannot write its count of events');
        }
        this.saidFailed = true;
      }
    }
  }
}

/** A group takes a turn of the event loop before its write and one after it, and the next one waits for it. */
const maxGroup = 50;
/** Ingest bounds the bytes of waiting events. This bounds the number of small ones, of each connection. */
const maxWaiting = 10_000;

interface Waiting {
  readonly event: InboundEvent;
  resolve(): void;
  reject(reason: ScalerError): void;
}

/**
 * Writes events in groups. Events that come during a write go into the next one together. Connections take turns, so that
 * one with many events does not keep those of others waiting.
 */
class GroupWriter {
  private readonly write: (events: readonly InboundEvent[]) => Promise<void>;
  /** By connection. None is empty. */
  private readonly waiting = new Map<string, Waiting[]>();
  private running: Promise<void> | undefined;
  private closed = false;

  /** `write` rejects with ScalerError. */
  constructor(write: (events: readonly InboundEvent[]) => Promise<void>) {
    this.write = write;
  }

  append(event: InboundEvent): Promise<void> {
    if (this.closed) return Promise.reject(new ScalerError('unavailable', 'the event log is closed'));
    const { connection } = event;
    const queue = this.waiting.get(connection) ?? [];
    if (queue.length >= maxWaiting) {
      const error = `${maxWaiting} events of the connection wait for the disk of the event log: it is too slow for them`;
      return Promise.reject(new ScalerError('exhausted', error));
    }
    return new Promise((resolve, reject) => {
      queue.push({ event, resolve, reject });
      this.waiting.set(connection, queue);
      this.running ??= this.run();
    });
  }

  /** Accepts no more events. Resolves when the accepted ones are written. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    // Events appended in this turn all go into the first group.
    await undefined;
    while (this.waiting.size > 0) await this.writeGroup(this.nextGroup());
    this.running = undefined;
  }

  /** Of those with the fewest events all, of the others as many each as have room: first the first of each. */
  private nextGroup(): readonly Waiting[] {
    const queues = [...this.waiting.values()];
    const share = Math.max(
      1,
      fairShare(
        queues.map(({ length }) => length),
        maxGroup,
      ),
    );
    const taken: Waiting[][] = [];
    for (const [connection, queue] of this.waiting) {
      taken.push(queue.splice(0, share));
      if (queue.length === 0) this.waiting.delete(connection);
    }
    const longest = Math.max(...taken.map(({ length }) => length));
    return Array.from({ length: longest }, (_, at) => taken.flatMap((some) => some[at] ?? [])).flat();
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
