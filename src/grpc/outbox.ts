import type { ServerWritableStream } from '@grpc/grpc-js';

/**
 * Writes to a stream: one message under way and at most one waiting, the latest. `write()` returning false
 * would come too late, a Writable takes 16 objects before it says so.
 */
export class Outbox<M> {
  private readonly call: ServerWritableStream<unknown, M>;
  private underWay = false;
  private closed = false;
  private waiting: M | undefined;

  constructor(call: ServerWritableStream<unknown, M>) {
    this.call = call;
  }

  send(message: M): void {
    if (this.closed) return;
    if (this.underWay) {
      this.waiting = message;
      return;
    }
    this.underWay = true;
    // Called when the message has left for the socket, so the client's flow control holds it back.
    this.call.write(message, () => {
      this.underWay = false;
      const next = this.waiting;
      this.waiting = undefined;
      if (next !== undefined) this.send(next);
    });
  }

  /** Forgets the message that waits. */
  retract(): void {
    this.waiting = undefined;
  }

  /** Nothing is written after this: a write after the end would end the call with an error. */
  close(): void {
    this.closed = true;
    this.waiting = undefined;
  }
}
