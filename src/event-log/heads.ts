import { epochNowMs } from '../clock.ts';
import { ScalerError } from '../errors.ts';
import type { KeptSince } from '../sources/inbound.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventStore, Head } from './level-store.ts';

/** The head of each connection. A change is in memory at once, and on disk later. */
export class Heads {
  private readonly store: Pick<EventStore, 'heads' | 'putHead'>;
  private readonly log: Logger;
  private known = new Map<string, Head>();
  private writing: Promise<void> = Promise.resolve();

  constructor(store: Pick<EventStore, 'heads' | 'putHead'>, log: Logger) {
    this.store = store;
    this.log = log;
  }

  get size(): number {
    return this.known.size;
  }

  async load(): Promise<void> {
    this.known = await this.store.heads();
  }

  of(connection: string): Head {
    return this.known.get(connection) ?? this.add(connection);
  }

  /** Events from before the log first heard of a connection are unknown. */
  add(connection: string): Head {
    const known = this.known.get(connection);
    if (known !== undefined) return known;
    const since: KeptSince = { atMs: epochNowMs(), because: 'new' };
    return this.put(connection, { first: 1, since, checked: 0 });
  }

  /** Events of all connections may be lost up to these sequences. */
  allLost(lasts: ReadonlyMap<string, number>): Promise<void> {
    for (const connection of new Set([...this.known.keys(), ...lasts.keys()])) {
      this.lost(connection, lasts.get(connection) ?? 0);
    }
    return this.writing;
  }

  /** Events of a connection may be lost up to the sequence `checked`. */
  lost(connection: string, checked: number): void {
    const since: KeptSince = { atMs: epochNowMs(), because: 'damaged' };
    const first = Math.min(this.of(connection).first, checked + 1);
    this.put(connection, { first, since, checked });
  }

  /** Takes the head that `remove` writes. If the write fails, the head before it is back. */
  async change(connection: string, head: Head, remove: (head: Head) => Promise<void>): Promise<void> {
    const before = this.of(connection);
    this.known.set(connection, head);
    try {
      await remove(head);
    } catch (reason) {
      if (this.known.get(connection) === head) this.known.set(connection, before);
      throw reason;
    }
  }

  /** Resolves when every head has been written, or has failed to be. */
  written(): Promise<void> {
    return this.writing;
  }

  private put(connection: string, head: Head): Head {
    this.known.set(connection, head);
    const write = () => this.store.putHead(connection, this.of(connection));
    this.writing = this.writing.then(write).catch((reason: unknown) => {
      const { message } = ScalerError.from(reason);
      this.log.warn(
        { connection, error: message },
        'the event log could not write since when its events are complete',
      );
    });
    return head;
  }
}
