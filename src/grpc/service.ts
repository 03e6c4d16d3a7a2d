import type { handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { status as Code } from '@grpc/grpc-js';
import { ScalerError } from '../errors.ts';
import { nudgedTarget, wire } from '../scaling/metric.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { endRpc, nameScaledObject, rpcSpans } from '../telemetry/tracing.ts';
import type { Activity, Spec } from '../triggers/followers.ts';
import type { Answer } from '../triggers/measurement.ts';
import type { Reference } from '../triggers/reference.ts';
import type { ExternalScalerHandlers } from './generated/externalscaler/ExternalScaler.ts';
import type { GetMetricSpecResponse } from './generated/externalscaler/GetMetricSpecResponse.ts';
import type { GetMetricsRequest__Output } from './generated/externalscaler/GetMetricsRequest.ts';
import type { GetMetricsResponse } from './generated/externalscaler/GetMetricsResponse.ts';
import type { IsActiveResponse } from './generated/externalscaler/IsActiveResponse.ts';
import type { ScaledObjectRef__Output } from './generated/externalscaler/ScaledObjectRef.ts';
import { codeName, type Status, toStatus } from './status.ts';
import { ActivityStream, forgetRequest, Outbox, type StreamRpc, type Streams } from './streams.ts';

/** What RPCs need. Everything is answered from memory. */
export interface LiveTriggers {
  /** Throws ScalerError: `invalid` with all faults, `denied`, or `exhausted`. No upstream. */
  trigger(reference: Reference): LiveTrigger;
}

export interface LiveTrigger {
  /** `kafka trigger of shop/orders`: how messages name it. */
  readonly label: string;
  /** Throws ScalerError where the trigger is refused. */
  readonly spec: Spec;
  /**
   * The first call for a cold trigger waits for its first reading, bounded by `coldReadTimeoutMs` and the
   * caller's signal; rejects with ScalerError where nothing is known. Renews the lease.
   */
  answer(caller: { readonly signal: AbortSignal }): Promise<Answer>;
  /** A GetMetrics is given this value. */
  looked(value: number): void;
  /** An IsActive was answered. */
  checked(): void;
  /**
   * Until the returned function is called; the lease holds meanwhile. `told` hears the present state as soon as
   * it is known (at once if it is) and every change after that; never an error.
   */
  follow(told: (activity: Activity) => void): () => void;
  /** The same for the spec: `told` hears it at once, and again when a reload changes it or the HPA is to look. */
  followSpec(told: (spec: Spec) => void): () => void;
}

export interface ServiceDeps {
  triggers: LiveTriggers;
  streams: Streams;
  metrics: Metrics;
  log: Logger;
  /** How long the next StreamIsActive may last. Undefined means forever. */
  streamAgeMs(): number | undefined;
  confirmMs?: number | undefined;
}

type StreamCall<R> = ServerWritableStream<ScaledObjectRef__Output, R>;

/** KEDA's five RPCs. Nothing here waits for an upstream. */
export class Service {
  private readonly deps: ServiceDeps;

  constructor(deps: ServiceDeps) {
    this.deps = deps;
  }

  handlers(): ExternalScalerHandlers {
    const deps = { metrics: this.deps.metrics, failed: this.failed.bind(this) };
    return {
      IsActive: unary(deps, 'IsActive', (request, caller) => this.isActive(this.triggerOf(request), caller)),
      GetMetricSpec: unary(deps, 'GetMetricSpec', (request) => toSpecs(this.triggerOf(request).spec)),
      GetMetrics: unary(deps, 'GetMetrics', (request, caller) => this.getMetrics(request, caller)),
      StreamIsActive: (call) => this.stream('StreamIsActive', call, (trigger) => this.follow(trigger, call)),
      StreamMetricSpec: (call) =>
        this.stream('StreamMetricSpec', call, (trigger) => this.followSpec(trigger, call)),
    };
  }

  private triggerOf(ref: ScaledObjectRef__Output | null): LiveTrigger {
    return this.deps.triggers.trigger(toReference(ref));
  }

  private async isActive(trigger: LiveTrigger, caller: Caller): Promise<IsActiveResponse> {
    const answer = await trigger.answer(caller);
    trigger.checked();
    return toActivity(answer);
  }

  private async getMetrics(request: GetMetricsRequest__Output, caller: Caller): Promise<GetMetricsResponse> {
    const trigger = this.triggerOf(request.scaledObjectRef);
    const { metricName } = trigger.spec;
    // KEDA strips its own `s<index>-` before it asks; an empty name is one who has not asked for the spec.
    if (request.metricName !== '' && request.metricName !== metricName) {
      const message = `${trigger.label}: has no metric ${JSON.stringify(request.metricName)}, its metric is ${JSON.stringify(metricName)}`;
      throw new ScalerError('not_found', message);
    }
    const answer = await trigger.answer(caller);
    const response = toMetrics(trigger, metricName, answer);
    if (answer.kind === 'known') trigger.looked(answer.value);
    return response;
  }

  private stream<R>(rpc: StreamRpc, call: StreamCall<R>, serve: (trigger: LiveTrigger) => void): void {
    try {
      serve(this.triggerOf(call.request));
      forgetRequest(call);
    } catch (reason) {
      this.deps.streams.refuse(rpc, call, this.failed(reason, rpc));
    }
  }

  private follow(trigger: LiveTrigger, call: StreamCall<IsActiveResponse>): void {
    const { streams, streamAgeMs, confirmMs } = this.deps;
    const stream = new ActivityStream(call, confirmMs);
    const unfollow = trigger.follow((activity) => stream.told(activity));
    const release = (): void => {
      unfollow();
      stream.close();
    };
    streams.hold('StreamIsActive', call, { ageMs: streamAgeMs(), release });
  }

  /** Each message makes KEDA reconcile the ScaledObject: nothing but a changed spec or a nudge is one. */
  private followSpec(trigger: LiveTrigger, call: StreamCall<GetMetricSpecResponse>): void {
    const outbox = new Outbox(call);
    const unfollow = trigger.followSpec((spec) => outbox.send(toSpecs(spec)));
    const release = (): void => {
      unfollow();
      outbox.close();
    };
    this.deps.streams.hold('StreamMetricSpec', call, { release });
  }

  private failed(reason: unknown, method: string): Status {
    const error = ScalerError.from(reason);
    if (error.code === 'internal')
      this.deps.log.error({ err: error.cause ?? error, method }, 'an RPC failed by a fault of ours');
    return toStatus(error);
  }
}

/** A ScaledObjectRef as it came from the wire, made safe; throws ScalerError naming everything that is missing. */
export function toReference(ref: ScaledObjectRef__Output | null): Reference {
  if (ref === null) throw new ScalerError('invalid', 'the request has no scaledObjectRef');
  const { name, namespace, scalerMetadata: metadata } = ref;
  const missing: string[] = [];
  if (name === '') missing.push('name');
  if (namespace === '') missing.push('namespace');
  if (Object.keys(metadata).length === 0) missing.push("scalerMetadata (the trigger's metadata)");
  if (missing.length > 0) {
    throw new ScalerError('invalid', `the scaledObjectRef has no ${missing.join(', no ')}`);
  }
  return { name, namespace, metadata };
}

/*
 * Answers of a trigger in the shapes of KEDA's contract, also for `explain`. The generated types allow missing fields;
 * nothing here leaves one out.
 */

export interface ActivityResponse {
  readonly result: boolean;
}

export interface SpecResponse {
  metricSpecs: [{ metricName: string; targetSize: string; targetSizeFloat: number }];
}

export interface MetricsResponse {
  metricValues: [{ metricName: string; metricValue: string; metricValueFloat: number }];
}

export function toActivity({ active }: Pick<Answer, 'active'>): ActivityResponse {
  return { result: active };
}

/** Exactly one: the HPA sums over what it gets. */
export function toSpecs({ metricName, target, nudge = 0 }: Spec): SpecResponse {
  const { int, float } = nudgedTarget(target, nudge);
  return { metricSpecs: [{ metricName, targetSize: int, targetSizeFloat: float }] };
}

/** Throws ScalerError if there is no number. `label` names the trigger in messages. It is made only for them. */
export function toMetrics(
  trigger: { readonly label: string },
  metricName: string,
  answer: MetricAnswer,
): MetricsResponse {
  if (answer.kind === 'uncounted') {
    const state = answer.active ? 'is active' : 'is inactive';
    throw new ScalerError(
      'unavailable',
      `${trigger.label}: ${state}, its number is not known yet: ${answer.why}`,
    );
  }
  const { int, float } = wire(answer.value);
  return { metricValues: [{ metricName, metricValue: int, metricValueFloat: float }] };
}

type MetricAnswer =
  | Extract<Answer, { kind: 'uncounted' }>
  | { readonly kind: 'known'; readonly value: number };

interface UnaryDeps {
  metrics: Metrics;
  /** The status of whatever an answer threw. */
  failed(reason: unknown, method: string): Status;
}

type Request = ScaledObjectRef__Output | GetMetricsRequest__Output;

/** A unary RPC from a function: its failures become a status, and it is counted, timed, traced and cancelled. */
function unary<Q extends Request, R>(
  { metrics, failed }: UnaryDeps,
  method: string,
  answer: (request: Q, caller: Caller) => R | Promise<R>,
): handleUnaryCall<Q, R> {
  const startSpan = rpcSpans(method);
  return async (call, callback) => {
    const startedMs = performance.now();
    const span = startSpan();
    const scaledObject = scaledObjectOf(call.request);
    if (scaledObject) nameScaledObject(span, scaledObject);
    const caller = new Caller();
    let done = false;
    const finish = (end: End, failure?: string): void => {
      done = true;
      metrics.rpcRequests.inc({ method, code: end.name });
      metrics.rpcDuration.observe({ method }, (performance.now() - startedMs) / 1000);
      endRpc(span, end, failure);
    };
    // Emitted when the caller is gone, at its deadline, and (grpc-js's way) also after every answer.
    call.once('cancelled', () => {
      if (done) return;
      finish(endOf(Number(call.getDeadline()) <= Date.now() ? Code.DEADLINE_EXCEEDED : Code.CANCELLED));
      caller.leave();
    });
    try {
      const response = await answer(call.request, caller);
      if (done) return;
      finish(ok);
      callback(null, response);
    } catch (reason) {
      if (done) return;
      const status = failed(reason, method);
      finish(endOf(status.code), status.details);
      callback(status);
    }
  };
}

/** How a call has ended, as metrics and spans have it. */
interface End {
  readonly number: Code;
  readonly name: string;
}

function endOf(code: Code): End {
  return { number: code, name: codeName(code) };
}

const ok = endOf(Code.OK);

function scaledObjectOf(request: Request): ScaledObjectRef__Output | null {
  return 'scaledObjectRef' in request ? request.scaledObjectRef : request;
}

/**
 * Who waits for an answer. Its signal is made when somebody asks for it: most answers come out of memory, and
 * an AbortController for each of them would cost more than the answer.
 */
class Caller {
  private controller: AbortController | undefined;
  private gone = false;

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.gone) this.controller.abort();
    }
    return this.controller.signal;
  }

  leave(): void {
    this.gone = true;
    this.controller?.abort();
  }
}
