import { setTimeout } from 'node:timers/promises';
import { ScalerError } from '../errors.ts';
import type { InboundEvent } from '../sources/inbound.ts';
import type { Logger } from '../telemetry/log.ts';
import { decode, type Entry, type EventStore, type Head } from './level-store.ts';

export interface Follower {
  readonly connection: string;
  readonly take: (event: InboundEvent) => void;
}

/** Hands each event to the followers of its connection as it comes. */
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

  hand(event: InboundEvent, follower: Follower): void {
    hand(event, follower, this.log);
  }

  clear(): void {
    this.byConnection.clear();
  }
}

/** A ledger's fault concerns neither the sender nor other ledgers: the event is kept. */
export function hand(event: InboundEvent, { take }: Follower, log: Logger): void {
  try {
    take(event);
  } catch (reason) {
    const { connection, type } = event;
    const { message } = ScalerError.from(reason);
    log.error({ connection, type, error: message }, 'an event could not be taken into the ledger');
  }
}

const retryMs = 1_000;

export interface Replayed extends Follower {
  readonly replayed: (() => void) | undefined;
}

/** Entries of a connection that should be whole and are not. */
export interface Damage {
  readonly connection: string;
  readonly upTo: number;
  /** Entries that are not events, or not as they were written. */
  readonly damaged: number;
  readonly missing: number;
}

export interface ReplaysOptions {
  readonly store: Pick<EventStore, 'read'>;
  /** The last sequence of a connection that is kept and was handed to the live followers. */
  readonly last: (connection: string) => number;
  /** The first sequence that should exist, and the last one up to which damage is already known. */
  readonly head: (connection: string) => Pick<Head, 'first' | 'checked'>;
  /** Called before `replayed` of the followers. */
  readonly damaged: (damage: Damage) => void;
  /** A follower joins it once it has every kept event. */
  readonly live: Followers;
  readonly log: Logger;
}

/** Hands the kept events to new followers, in one pass for all of a connection. */
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
    // Followers that join in this turn share the first pass.
    await undefined;
    for (let [next] = this.joining; next !== undefined; [next] = this.joining) {
      const { connection } = next;
      for (const follower of this.joining) {
        if (follower.connection !== connection) continue;
        this.joining.delete(follower);
        this.replaying.add(follower);
      }
      await this.replay(connection);
    }
    this.running = undefined;
  }

  /** Continues until it has caught up with the events that are appended meanwhile. */
  private async replay(connection: string): Promise<void> {
    const { last, live, damaged } = this.options;
    const seen = { after: 0, damaged: 0, missing: 0 };
    while (this.replaying.size > 0) {
      const upTo = last(connection);
      if (!(await this.handOver(connection, upTo, seen))) continue;
      // The followers go live in the same turn as this check: no event is missed or comes twice.
      if (upTo !== last(connection)) continue;
      if (seen.damaged + seen.missing > 0) damaged({ connection, upTo, ...seen });
      for (const follower of this.replaying) {
        live.add(follower);
        follower.replayed?.();
      }
      this.replaying.clear();
    }
  }

  /** False if the store could not be read. The next call continues from `seen.after`. */
  private async handOver(connection: string, upTo: number, seen: Seen): Promise<boolean> {
    const { store, log } = this.options;
    try {
      for await (const entries of store.read(connection, seen.after, upTo)) {
        for (const entry of entries) this.hand(entry, seen);
        if (this.replaying.size === 0) return true;
      }
      this.look(connection, upTo + 1, seen);
      return true;
    } catch (reason) {
      if (this.replaying.size === 0) return true;
      log.error({ error: ScalerError.from(reason).message }, 'the event log cannot be read; trying again');
      await setTimeout(retryMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      return false;
    }
  }

  private hand({ connection, sequence, text }: Entry, seen: Seen): void {
    this.look(connection, sequence, seen);
    seen.after = sequence;
    const event = decode(text);
    if (event?.connection !== connection) {
      if (sequence > this.options.head(connection).checked) seen.damaged += 1;
      return;
    }
    for (const follower of this.replaying) this.options.live.hand(event, follower);
  }

  /** Counts the entries that are missing before a sequence. Those before the head were removed on purpose. */
  private look(connection: string, sequence: number, seen: Seen): void {
    const { first, checked } = this.options.head(connection);
    seen.missing += Math.max(0, sequence - 1 - Math.max(seen.after, first - 1, checked));
    seen.after = Math.max(seen.after, sequence - 1);
  }
}

/** How far a replay has come, and what it has found. */
interface Seen {
  after: number;
  damaged: number;
  missing: number;
}
