import type { ServerWritableStream } from '@grpc/grpc-js';
import { status as Code, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Activity } from '../triggers/followers.ts';
import type { IsActiveResponse } from './generated/externalscaler/IsActiveResponse.ts';
import type { ScaledObjectRef__Output } from './generated/externalscaler/ScaledObjectRef.ts';
import { codeName, type Status } from './status.ts';

export type StreamRpc = 'StreamIsActive' | 'StreamMetricSpec';
type AnyCall = ServerWritableStream<unknown, unknown>;

/** Of tens of thousands, how many streams a drain ends before calls have their turn: about 2 ms of work. */
const endedInATurn = 100;

/** When an edge is confirmed. A poll that was under way at the edge is done by then. */
const confirmMs = 2000;

/**
 * What one StreamIsActive sends: the state on open, and `true` on each edge. If the trigger is still active after
 * `confirmMs`, one more `true` follows. A poll in progress can undo the first: KEDA v2.21 (pkg/scaling/executor) writes 0
 * on a decision from before the edge. Never more: each `true` restarts KEDA's cooldown. `false` is sent only
 * on open, since KEDA ignores it (pkg/scaling/scale_handler.go, since v2.18).
 */
export class ActivityStream {
  private readonly outbox: Outbox<IsActiveResponse>;
  private readonly confirmMs: number;
  private opened = false;
  private confirmation: NodeJS.Timeout | undefined;

  constructor(call: ServerWritableStream<unknown, IsActiveResponse>, confirmAfterMs = confirmMs) {
    this.outbox = new Outbox(call);
    this.confirmMs = confirmAfterMs;
  }

  told({ active, edge }: Activity): void {
    const first = !this.opened;
    this.opened = true;
    if (!active) {
      clearTimeout(this.confirmation);
      // A `true` that has not left yet would be a lie by now.
      this.outbox.retract();
    }
    if (first || (active && edge)) this.outbox.send({ result: active });
    if (active && edge) this.confirmLater();
  }

  close(): void {
    clearTimeout(this.confirmation);
    this.outbox.close();
  }

  private confirmLater(): void {
    clearTimeout(this.confirmation);
    this.confirmation = setTimeout(() => this.outbox.send({ result: true }), this.confirmMs);
  }
}

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

interface Open {
  readonly rpc: StreamRpc;
  readonly call: AnyCall;
  readonly release: () => void;
  age: NodeJS.Timeout | undefined;
}

export interface OpenOptions {
  /** After this the stream ends with OK. Undefined: the client ends it. */
  ageMs?: number | undefined;
  /** Gives back what the stream holds; called once, however it ends. */
  release: () => void;
}

/** All open streams of KEDA's: counted, aged, and ended together. How many there may be is for Admission. */
export class Streams {
  private readonly open = new Set<Open>();
  private readonly metrics: Metrics;
  private draining = false;

  constructor(metrics: Metrics) {
    this.metrics = metrics;
  }

  get size(): number {
    return this.open.size;
  }

  /** Keeps a stream until it closes. */
  hold(rpc: StreamRpc, call: AnyCall, { ageMs, release }: OpenOptions): void {
    const open: Open = { rpc, call, release, age: undefined };
    if (ageMs !== undefined) open.age = setTimeout(() => this.end(open), ageMs);
    this.open.add(open);
    this.metrics.streams.inc({ rpc });
    // Not `once`: it keeps two objects more, for each of tens of thousands.
    call.on('close', () => void this.closed(open, Code.CANCELLED));
    if (this.draining) this.end(open);
  }

  /** With OK: to KEDA that is the only end which resets its delay (external_scaler.go, v2.21). */
  private end(open: Open): void {
    if (this.closed(open, Code.OK)) open.call.end();
  }

  /** False if it was closed before. */
  private closed(open: Open, code: Code): boolean {
    if (!this.open.delete(open)) return false;
    clearTimeout(open.age);
    this.metrics.streams.dec({ rpc: open.rpc });
    this.metrics.rpcRequests.inc({ method: open.rpc, code: codeName(code) });
    open.release();
    return true;
  }

  /** Ends a stream that cannot be served. */
  refuse(rpc: StreamRpc, call: AnyCall, status: Status): void {
    this.metrics.rpcRequests.inc({ method: rpc, code: codeName(status.code) });
    // grpc-js sends the status of an emitted error; destroy() would leave the stream open.
    call.emit('error', status);
  }

  /** Ends every stream with OK, over several turns of the event loop, and from now on each new one at once. */
  drain(): void {
    this.draining = true;
    this.endSome([...this.open]);
  }

  private endSome(left: Open[]): void {
    for (const open of left.splice(-endedInATurn)) this.end(open);
    if (left.length > 0) setImmediate(() => this.endSome(left));
  }
}

/**
 * Frees what grpc-js 1.14.7 keeps of a request while its stream is open: message, headers and buffers. That is nearly a
 * kilobyte for each stream, and the trigger has everything from it.
 */
export function forgetRequest(call: ServerWritableStream<ScaledObjectRef__Output, unknown>): void {
  const { request, metadata } = call;
  Object.assign(request, { name: '', namespace: '', scalerMetadata: {} });
  Reflect.set(metadata, 'internalRepr', noHeaders);
  const reader: unknown = Reflect.get(call, 'call');
  // Nothing is read any more: the request of such a call is one message, and its end has come.
  if (typeof reader === 'object' && reader !== null && 'decoder' in reader) reader.decoder = undefined;
}

const noHeaders = new Map();

/**
 * For streams of requests and answers: a request is read when the answers before it have left. Without this
 * grpc-js reads on while its answers wait for a client that takes none.
 */
export const readAfterWrite: ServerInterceptor = ({ requestStream }, call) =>
  // Calls are handed on unwrapped where there is nothing to do; what is made of them needs no more.
  requestStream ? new ReadAfterWrite(call) : (call as ServerInterceptingCall);

class ReadAfterWrite extends ServerInterceptingCall {
  private writing = 0;
  private readWanted = false;

  override startRead(): void {
    if (this.writing > 0) this.readWanted = true;
    else super.startRead();
  }

  override sendMessage(message: unknown, callback: () => void): void {
    this.writing += 1;
    super.sendMessage(message, () => {
      this.writing -= 1;
      callback();
      if (this.writing > 0 || !this.readWanted) return;
      this.readWanted = false;
      super.startRead();
    });
  }
}
