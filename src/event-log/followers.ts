import { setTimeout } from 'node:timers/promises';
import { ScalerError } from '../errors.ts';
import type { InboundEvent } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import { decode, type EventStore } from './level-store.ts';

export interface Follower {
  readonly connection: string;
  readonly take: (event: InboundEvent) => void;
}

/** Those who are handed each event as it comes. */
export class Followers {
  private readonly log: Logger;
  private readonly byConnection = new Map<string, Set<Follower>>();

  constructor(log: Logger) {
    this.log = log;
  }

  add(follower: Follower): void {
    const { connection } = follower;
    const followers = this.byConnection.get(connection) ?? new Set();
    this.byConnection.set(connection, followers.add(follower));
  }

  remove(follower: Follower): void {
    const { connection } = follower;
    const followers = this.byConnection.get(connection);
    followers?.delete(follower);
    if (followers?.size === 0) this.byConnection.delete(connection);
  }

  handToAll(event: InboundEvent): void {
    for (const follower of this.byConnection.get(event.connection) ?? []) this.hand(event, follower);
  }

  /** The event is kept, whatever a ledger makes of it; a fault of one is no matter of the sender or of another. */
  hand(event: InboundEvent, { take }: Follower): void {
    try {
      take(event);
    } catch (reason) {
      const { connection, type } = event;
      const { message } = ScalerError.from(reason);
      this.log.error({ connection, type, error: message }, 'an event could not be taken into the ledger');
    }
  }

  clear(): void {
    this.byConnection.clear();
  }
}

const retryMs = 1_000;

export interface Replayed extends Follower {
  readonly replayed: (() => void) | undefined;
}

export interface ReplaysOptions {
  readonly store: Pick<EventStore, 'read'>;
  /** The last sequence that is kept and has been handed to the live followers. */
  readonly last: () => number;
  /** Whoever has been handed all that is kept is put there. */
  readonly live: Followers;
  readonly log: Logger;
}

/** Hands what is kept to those who begin to follow: in one pass over the store, however many they are. */
export class Replays {
  private readonly options: ReplaysOptions;
  private readonly joining = new Set<Replayed>();
  private readonly replaying = new Set<Replayed>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(options: ReplaysOptions) {
    this.options = options;
  }

  join(follower: Replayed): void {
    this.joining.add(follower);
    this.running ??= this.run();
  }

  leave(follower: Replayed): void {
    this.joining.delete(follower);
    this.replaying.delete(follower);
  }

  async close(): Promise<void> {
    this.joining.clear();
    this.replaying.clear();
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    // Connections are opened together: they share the first pass.
    await undefined;
    while (this.joining.size > 0) {
      for (const follower of this.joining) this.replaying.add(follower);
      this.joining.clear();
      await this.replay();
    }
    this.running = undefined;
  }

  /** Goes on until it has caught up with what is appended meanwhile. */
  private async replay(): Promise<void> {
    const { last, live } = this.options;
    for (let after = 0; this.replaying.size > 0; ) {
      const upTo = last();
      after = await this.handOver(after, upTo);
      // In one turn with the look at the last: nothing falls between, and nothing comes twice.
      if (after !== last()) continue;
      for (const follower of this.replaying) {
        live.add(follower);
        follower.replayed?.();
      }
      this.replaying.clear();
    }
  }

  /** Resolves with how far it has come; a store that cannot be read is tried again after a while. */
  private async handOver(after: number, upTo: number): Promise<number> {
    const { store, log } = this.options;
    let at = after;
    try {
      for await (const entries of store.read(after, upTo)) {
        for (const { sequence, text } of entries) {
          this.hand(sequence, text);
          at = sequence;
        }
        if (this.replaying.size === 0) break;
      }
      return upTo;
    } catch (reason) {
      if (this.replaying.size === 0) return upTo;
      log.error({ error: ScalerError.from(reason).message }, 'the event log cannot be read; trying again');
      await setTimeout(retryMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      return at;
    }
  }

  private hand(sequence: number, text: string): void {
    const { live, log } = this.options;
    const event = decode(text);
    if (event === undefined) {
      log.error({ sequence }, 'an entry of the event log is damaged, and left out');
      return;
    }
    for (const follower of this.replaying) {
      if (follower.connection === event.connection) live.hand(event, follower);
    }
  }
}
