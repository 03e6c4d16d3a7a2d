import type { ServerWritableStream } from '@grpc/grpc-js';
import { status as Code } from '@grpc/grpc-js';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Status } from './status.ts';
import { codeName } from './status.ts';

export type StreamRpc = 'StreamIsActive' | 'StreamMetricSpec';
type AnyCall = ServerWritableStream<unknown, unknown>;

interface Open {
  readonly rpc: StreamRpc;
  readonly call: AnyCall;
  readonly release: (() => void) | undefined;
  age: NodeJS.Timeout | undefined;
}

export interface OpenOptions {
  /** After this the stream is ended with OK; undefined: it is held until the client lets go. */
  ageMs?: number | undefined;
  /** Gives back what the stream holds; called once, however it ends. */
  release?: () => void;
}

/** All open streams: counted, aged, and ended together. */
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
  hold(rpc: StreamRpc, call: AnyCall, { ageMs, release }: OpenOptions = {}): void {
    const open: Open = { rpc, call, release, age: undefined };
    if (ageMs !== undefined) open.age = setTimeout(() => this.end(open), ageMs);
    this.open.add(open);
    this.metrics.streams.inc({ rpc });
    // Not `once`: it keeps two objects more, for each of tens of thousands.
    call.on('close', () => this.closed(open, Code.CANCELLED));
    if (this.draining) this.end(open);
  }

  /** With OK: to KEDA that is the only end which resets its delay (external_scaler.go, v2.21). */
  private end(open: Open): void {
    this.closed(open, Code.OK);
    open.call.end();
  }

  private closed(open: Open, code: Code): void {
    if (!this.open.delete(open)) return;
    clearTimeout(open.age);
    this.metrics.streams.dec({ rpc: open.rpc });
    this.metrics.rpcRequests.inc({ method: open.rpc, code: codeName(code) });
    open.release?.();
  }

  /** Ends a stream that cannot be served. */
  refuse(rpc: StreamRpc, call: AnyCall, status: Status): void {
    this.metrics.rpcRequests.inc({ method: rpc, code: codeName(status.code) });
    // grpc-js sends the status of an emitted error; destroy() would leave the stream open.
    call.emit('error', status);
  }

  /** Ends every stream with OK, and from now on each new one at once. */
  drain(): void {
    this.draining = true;
    for (const open of [...this.open]) this.end(open);
  }
}
