import type { ServerWritableStream } from '@grpc/grpc-js';
import { ScalerError } from '../errors.ts';
import { wire, wireTarget } from '../scaling/metric.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ActivityStream } from './activity-stream.ts';
import type { AuthenticatedCall } from './client-names.ts';
import type { Desk, LiveTrigger, Waiting } from './desk.ts';
import type { ExternalScalerHandlers } from './generated/externalscaler/ExternalScaler.ts';
import type { GetMetricSpecResponse } from './generated/externalscaler/GetMetricSpecResponse.ts';
import type { GetMetricsRequest__Output } from './generated/externalscaler/GetMetricsRequest.ts';
import type { GetMetricsResponse } from './generated/externalscaler/GetMetricsResponse.ts';
import type { IsActiveResponse } from './generated/externalscaler/IsActiveResponse.ts';
import type { ScaledObjectRef__Output } from './generated/externalscaler/ScaledObjectRef.ts';
import { toReference } from './reference.ts';
import type { Status } from './status.ts';
import { toStatus } from './status.ts';
import type { StreamRpc, Streams } from './streams.ts';
import { unary } from './unary.ts';

export interface ServiceDeps {
  desk: Desk;
  streams: Streams;
  metrics: Metrics;
  log: Logger;
  /** Throws ScalerError where the client may not use us. */
  admit(call: AuthenticatedCall): void;
  /** How long a StreamIsActive may last, asked anew for each; undefined: for ever. */
  streamAgeMs(): number | undefined;
  confirmMs?: number | undefined;
}

const nothing: ScaledObjectRef__Output = { name: '', namespace: '', scalerMetadata: {} };

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
      IsActive: unary(deps, 'IsActive', (call, caller) => this.isActive(this.triggerOf(call), caller)),
      GetMetricSpec: unary(deps, 'GetMetricSpec', (call) => this.spec(this.triggerOf(call).spec)),
      GetMetrics: unary(deps, 'GetMetrics', (call, caller) => {
        this.deps.admit(call);
        return this.metrics(call.request, caller);
      }),
      StreamIsActive: (call) => this.stream('StreamIsActive', call, (trigger) => this.follow(trigger, call)),
      StreamMetricSpec: (call) =>
        this.stream('StreamMetricSpec', call, (trigger) => this.holdSpec(trigger, call)),
    };
  }

  private triggerOf(call: AuthenticatedCall & { request: ScaledObjectRef__Output }): LiveTrigger {
    this.deps.admit(call);
    return this.deps.desk.trigger(toReference(call.request));
  }

  private async isActive(trigger: LiveTrigger, caller: Waiting): Promise<IsActiveResponse> {
    const answer = await trigger.answer(caller);
    return { result: answer.kind === 'active' || answer.active };
  }

  /** Exactly one: the HPA sums over what it gets. */
  private spec({ metricName, target }: LiveSpec): GetMetricSpecResponse {
    const { int, float } = wireTarget(target);
    return { metricSpecs: [{ metricName, targetSize: int, targetSizeFloat: float }] };
  }

  private async metrics(request: GetMetricsRequest__Output, caller: Waiting): Promise<GetMetricsResponse> {
    const trigger = this.deps.desk.trigger(toReference(request.scaledObjectRef));
    const { metricName } = trigger.spec;
    // KEDA strips its own `s<index>-` before it asks; an empty name is one who has not asked for the spec.
    if (request.metricName !== '' && request.metricName !== metricName) {
      const message = `${trigger.label}: has no metric ${JSON.stringify(request.metricName)}, its metric is ${JSON.stringify(metricName)}`;
      throw new ScalerError('not_found', message);
    }
    const answer = await trigger.answer(caller);
    if (answer.kind === 'active') {
      throw new ScalerError(
        'unavailable',
        `${trigger.label}: is active, how much waits is not known yet: ${answer.why}`,
      );
    }
    const { int, float } = wire(answer.value);
    return { metricValues: [{ metricName, metricValue: int, metricValueFloat: float }] };
  }

  private stream<R>(rpc: StreamRpc, call: StreamCall<R>, serve: (trigger: LiveTrigger) => void): void {
    try {
      serve(this.triggerOf(call));
      // grpc-js keeps the request as long as the stream lives, twice for each trigger, which has all of it already.
      Object.assign(call.request, nothing);
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

  /** A spec follows from the metadata alone, so the one on open is the only one. */
  private holdSpec(trigger: LiveTrigger, call: StreamCall<GetMetricSpecResponse>): void {
    const release = trigger.followSpec((spec) => call.write(this.spec(spec)));
    this.deps.streams.hold('StreamMetricSpec', call, { release });
  }

  private failed(reason: unknown, method: string): Status {
    const error = ScalerError.from(reason);
    if (error.code === 'internal')
      this.deps.log.error({ err: error.cause ?? error, method }, 'an RPC failed by a fault of ours');
    return toStatus(error);
  }
}
