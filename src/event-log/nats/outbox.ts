import { ScalerError } from '../../errors.ts';
import type { InboundEvent } from '../../sources/source.ts';

export interface OutboxLimits {
  readonly maxBuffered: number;
  readonly maxBufferedBytes: number;
}

/** An event that the stream has not taken yet. */
export interface Outgoing {
  readonly event: InboundEvent;
  readonly payload: Buffer;
  /** Called when the stream has it, or when its sender should wait no longer. */
  settle(): void;
}

/** The most that is sent together. It bounds the work in one turn of the event loop. */
const groupEvents = 256;
const groupBytes = 512 * 1024;

/** The events that the stream has not taken yet, oldest first. */
export class Outbox {
  private readonly limits: OutboxLimits;
  private waiting: Outgoing[] = [];
  private heldBytes = 0;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.waiting.length;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /** Throws ScalerError `exhausted` if it is full. */
  add(outgoing: Outgoing): void {
    const { maxBuffered, maxBufferedBytes } = this.limits;
    const { length } = outgoing.payload;
    if (this.waiting.length >= maxBuffered || this.heldBytes + length > maxBufferedBytes) {
      const error = `${this.waiting.length} events (${this.heldBytes} bytes) wait for NATS, and there is no room for more: see eventLog.maxBuffered and eventLog.maxBufferedBytes`;
      throw new ScalerError('exhausted', error);
    }
    this.waiting.push(outgoing);
    this.heldBytes += length;
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
    this.waiting = this.waiting.filter((outgoing) => !taken.has(outgoing));
    for (const { payload } of taken) this.heldBytes -= payload.length;
  }

  /** Puts the events of these connections behind all others. Within a connection the order stays. */
  defer(connections: ReadonlySet<string>): void {
    const isLast = ({ event }: Outgoing): boolean => connections.has(event.connection);
    this.waiting = [...this.waiting.filter((one) => !isLast(one)), ...this.waiting.filter(isLast)];
  }

  /** Lets all senders go. The events stay. */
  settleAll(): void {
    for (const outgoing of this.waiting) outgoing.settle();
  }

  /** The number of waiting events by connection. */
  counts(): Readonly<Record<string, number>> {
    const counts = new Map<string, number>();
    for (const { event } of this.waiting)
      counts.set(event.connection, (counts.get(event.connection) ?? 0) + 1);
    return Object.fromEntries(counts);
  }
}
