import type { handleUnaryCall } from '@grpc/grpc-js';
import { status as Code } from '@grpc/grpc-js';
import type { Metrics } from '../telemetry/metrics.ts';
import { Caller } from './caller.ts';
import type { Status } from './status.ts';
import { codeName } from './status.ts';

export interface UnaryDeps {
  metrics: Metrics;
  /** The status of whatever an answer threw. */
  failed(reason: unknown, method: string): Status;
}

type Call<Q, R> = Parameters<handleUnaryCall<Q, R>>[0];

/** A unary RPC from a function: its failures become a status, and it is counted, timed and cancelled. */
export function unary<Q, R>(
  { metrics, failed }: UnaryDeps,
  method: string,
  answer: (call: Call<Q, R>, caller: Caller) => R | Promise<R>,
): handleUnaryCall<Q, R> {
  return async (call, callback) => {
    const startedMs = performance.now();
    const caller = new Caller();
    let done = false;
    const finish = (code: Code): void => {
      done = true;
      metrics.rpcRequests.inc({ method, code: codeName(code) });
      metrics.rpcDuration.observe({ method }, (performance.now() - startedMs) / 1000);
    };
    // Emitted when the caller is gone, at its deadline, and (grpc-js's way) also after every answer.
    call.once('cancelled', () => {
      if (done) return;
      finish(Number(call.getDeadline()) <= Date.now() ? Code.DEADLINE_EXCEEDED : Code.CANCELLED);
      caller.leave();
    });
    try {
      const response = await answer(call, caller);
      if (done) return;
      finish(Code.OK);
      callback(null, response);
    } catch (reason) {
      if (done) return;
      const status = failed(reason, method);
      finish(status.code);
      callback(status);
    }
  };
}
