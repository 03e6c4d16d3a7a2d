import { ScalerError } from '../../errors.ts';
import type { InboundEvent } from '../../sources/inbound.ts';

export interface OutboxLimits {
  readonly maxBuffered: number;
  readonly maxBufferedBytes: number;
}

/** An event that the stream has not taken yet. */
export interface Outgoing {
  readonly event: InboundEvent;
  readonly payload: Buffer;
  /** Called when this pod's followers have it from the stream (true), or its sender should wait no longer. */
  settle(isKept: boolean): void;
}

/** The most that is sent together. It bounds the work in one turn of the event loop. */
const groupEvents = 256;
const groupBytes = 512 * 1024;

/** What waits, of all connections or of one. */
interface Held {
  events: number;
  bytes: number;
}

/** The last quarter of the room is for connections that have less than a quarter of it: nobody takes it all. */
const quarter = 1 / 4;

/** The events that the stream has not taken yet, oldest first. */
export class Outbox {
  private readonly limits: OutboxLimits;
  private waiting: Outgoing[] = [];
  private readonly held: Held = { events: 0, bytes: 0 };
  private readonly heldBy = new Map<string, Held>();

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.waiting.length;
  }

  /** Whether it has events of the connection. */
  holds(connection: string): boolean {
    return this.heldBy.has(connection);
  }

  get bytes(): number {
    return this.held.bytes;
  }

  /** Throws ScalerError `exhausted` if it is full, or has no more room for the connection. */
  add(outgoing: Outgoing): void {
    const { connection } = outgoing.event;
    const own = this.heldBy.get(connection) ?? { events: 0, bytes: 0 };
    if (!this.hasRoom(own, outgoing.payload.length)) {
      const { events, bytes } = this.held;
      const error = `${events} events (${bytes} bytes) wait for NATS, ${own.events} of them of connection "${connection}", and there is no room for more: see eventLog.maxBuffered and eventLog.maxBufferedBytes`;
      throw new ScalerError('exhausted', error);
    }
    this.waiting.push(outgoing);
    this.heldBy.set(connection, own);
    this.hold(outgoing, 1);
  }

  private hasRoom(own: Held, bytes: number): boolean {
    const { maxBuffered, maxBufferedBytes } = this.limits;
    const isLarge = own.events >= maxBuffered * quarter || own.bytes >= maxBufferedBytes * quarter;
    const part = isLarge ? 1 - quarter : 1;
    return this.held.events < maxBuffered * part && this.held.bytes + bytes <= maxBufferedBytes * part;
  }

  private hold({ event: { connection }, payload }: Outgoing, sign: 1 | -1): void {
    const own = this.heldBy.get(connection);
    for (const held of own === undefined ? [this.held] : [this.held, own]) {
      held.events += sign;
      held.bytes += sign * payload.length;
    }
    if (own?.events === 0) this.heldBy.delete(connection);
  }

  /** The oldest events, as many as are sent together. At least one, unless it is empty. */
  group(): readonly Outgoing[] {
    let bytes = 0;
    const end = this.waiting.slice(0, groupEvents).findIndex(({ payload }, index) => {
      bytes += payload.length;
      return index > 0 && bytes > groupBytes;
    });
    return this.waiting.slice(0, end === -1 ? groupEvents : end);
  }

  /** Removes events that the stream has. The others keep their order. */
  remove(taken: ReadonlySet<Outgoing>): void {
    const kept = this.waiting.filter((outgoing) => !taken.has(outgoing));
    for (const outgoing of this.waiting) if (taken.has(outgoing)) this.hold(outgoing, -1);
    this.waiting = kept;
  }

  /** Puts the events of these connections behind all others. Within a connection the order stays. */
  defer(connections: ReadonlySet<string>): void {
    const isLast = ({ event }: Outgoing): boolean => connections.has(event.connection);
    this.waiting = [...this.waiting.filter((one) => !isLast(one)), ...this.waiting.filter(isLast)];
  }

  /** Lets all senders go. The events stay. */
  settleAll(): void {
    for (const outgoing of this.waiting) outgoing.settle(false);
  }

  /** The number of waiting events by connection. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.heldBy].map(([connection, { events }]) => [connection, events]));
  }
}
