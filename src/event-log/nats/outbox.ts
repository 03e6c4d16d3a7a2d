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
  /** Called once, when the stream has it or is not waited for any more. */
  settle(): void;
}

/** What goes out together: one wait for the stream's answers, and bounded work in one turn of the event loop. */
const groupEvents = 256;
const groupBytes = 512 * 1024;

/** The events that the stream has not taken yet, in the order in which they came. */
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

  /** Throws ScalerError `exhausted` where there is no room. */
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

  /** The first of them, as many as go out together; at least one, if there are any. */
  group(): readonly Outgoing[] {
    let bytes = 0;
    const end = this.waiting.slice(0, groupEvents).findIndex(({ payload }, index) => {
      bytes += payload.length;
      return index > 0 && bytes > groupBytes;
    });
    return this.waiting.slice(0, end === -1 ? groupEvents : end);
  }

  /** Takes those out that the stream has. The others keep their order. */
  remove(taken: ReadonlySet<Outgoing>): void {
    this.waiting = this.waiting.filter((outgoing) => !taken.has(outgoing));
    for (const { payload } of taken) this.heldBytes -= payload.length;
  }

  /** Nobody waits for the stream any more. */
  settleAll(): void {
    for (const outgoing of this.waiting) outgoing.settle();
  }

  /** How many there are of each connection. */
  counts(): Readonly<Record<string, number>> {
    const counts = new Map<string, number>();
    for (const { event } of this.waiting)
      counts.set(event.connection, (counts.get(event.connection) ?? 0) + 1);
    return Object.fromEntries(counts);
  }
}
