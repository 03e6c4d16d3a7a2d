import type { ServerWritableStream } from '@grpc/grpc-js';
import { status as Code } from '@grpc/grpc-js';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Status } from './status.ts';
import { codeName } from './status.ts';

export type StreamRpc = 'StreamIsActive' | 'StreamMetricSpec';
type AnyCall = ServerWritableStream<unknown, unknown>;

interface Open {
  /** Ends the stream with OK: to KEDA that is the only end which resets its delay (external_scaler.go, v2.21). */
  end(): void;
}

export interface OpenOptions {
  /** After this the stream is ended with OK; undefined: it is held until the client lets go. */
  ageMs?: number | undefined;
  /** Gives back what the stream holds; called once, however it ends. */
  release(): void;
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
  hold(rpc: StreamRpc, call: AnyCall, { ageMs, release }: OpenOptions): void {
    let code = Code.CANCELLED;
    const end = (): void => {
      code = Code.OK;
      done();
      call.end();
    };
    const open: Open = { end };
    const age = ageMs === undefined ? undefined : setTimeout(end, ageMs);
    const done = (): void => {
      if (!this.open.delete(open)) return;
      clearTimeout(age);
      this.metrics.streams.dec({ rpc });
      this.metrics.rpcRequests.inc({ method: rpc, code: codeName(code) });
      release();
    };
    this.open.add(open);
    this.metrics.streams.inc({ rpc });
    call.once('close', done);
    if (this.draining) end();
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
    for (const { end } of [...this.open]) end();
  }
}
