import type { handleUnaryCall } from '@grpc/grpc-js';
import { status as Code } from '@grpc/grpc-js';
import type { Metrics } from '../telemetry/metrics.ts';
import { endRpc, nameScaledObject, rpcSpans } from '../telemetry/tracing.ts';
import { Caller } from './caller.ts';
import type { GetMetricsRequest__Output } from './generated/externalscaler/GetMetricsRequest.ts';
import type { ScaledObjectRef__Output } from './generated/externalscaler/ScaledObjectRef.ts';
import type { Status } from './status.ts';
import { codeName } from './status.ts';

export interface UnaryDeps {
  metrics: Metrics;
  /** The status of whatever an answer threw. */
  failed(reason: unknown, method: string): Status;
}

type Asked = ScaledObjectRef__Output | GetMetricsRequest__Output;
type Call<Q, R> = Parameters<handleUnaryCall<Q, R>>[0];

/** A unary RPC from a function: its failures become a status, and it is counted, timed, traced and cancelled. */
export function unary<Q extends Asked, R>(
  { metrics, failed }: UnaryDeps,
  method: string,
  answer: (call: Call<Q, R>, caller: Caller) => R | Promise<R>,
): handleUnaryCall<Q, R> {
  const startSpan = rpcSpans(method);
  return async (call, callback) => {
    const startedMs = performance.now();
    const span = startSpan();
    const asked = scaledObjectOf(call.request);
    if (asked) nameScaledObject(span, asked);
    const caller = new Caller();
    let done = false;
    const finish = (code: Code, failure?: string): void => {
      done = true;
      metrics.rpcRequests.inc({ method, code: codeName(code) });
      metrics.rpcDuration.observe({ method }, (performance.now() - startedMs) / 1000);
      endRpc(span, { number: code, name: codeName(code) }, failure);
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
      finish(status.code, status.details);
      callback(status);
    }
  };
}

function scaledObjectOf(request: Asked): ScaledObjectRef__Output | null {
  return 'scaledObjectRef' in request ? request.scaledObjectRef : request;
}
