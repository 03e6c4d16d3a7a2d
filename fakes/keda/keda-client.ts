import type { ClientReadableStream, requestCallback } from '@grpc/grpc-js';
import { type ChannelCredentials, credentials, status } from '@grpc/grpc-js';
import { ExternalScaler } from '../../src/grpc/contract.ts';
import type { ExternalScalerClient } from '../../src/grpc/generated/externalscaler/ExternalScaler.ts';
import type { GetMetricSpecResponse__Output } from '../../src/grpc/generated/externalscaler/GetMetricSpecResponse.ts';
import type { GetMetricsResponse__Output } from '../../src/grpc/generated/externalscaler/GetMetricsResponse.ts';
import type { IsActiveResponse__Output } from '../../src/grpc/generated/externalscaler/IsActiveResponse.ts';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';

/** KEDA's wait after the end of a stream. It doubles each time (external_scaler.go:242, v2.21). */
export const firstReopenMs = 2_000;
const mostReopenMs = 60_000;

export function nextReopenMs(lastMs: number): number {
  return Math.min(2 * lastMs, mostReopenMs);
}

/** Each call goes to the next reachable pod of the scaler (external_scaler.go:62). */
const roundRobin = { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) };

/** The values from which KEDA builds the HPA. */
export interface MetricTarget {
  readonly name: string;
  readonly perReplica: number;
}

/**
 * KEDA's side of the contract for one trigger (pkg/scalers/external_scaler.go, v2.21): no deadlines, one connection, and
 * both streams opened again forever.
 */
export class KedaClient {
  private readonly client: ExternalScalerClient;
  private readonly reference: ScaledObjectRef;
  private readonly streams = new Set<ClientReadableStream<unknown>>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private closed = false;

  /** `address`: `host:port`, or several in gRPC's form, `ipv4:127.0.0.1:6000,127.0.0.1:6001`. */
  constructor(
    address: string,
    reference: ScaledObjectRef,
    channelCredentials: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.client = new ExternalScaler(address, channelCredentials, roundRobin);
    this.reference = reference;
  }

  async metricTarget(): Promise<MetricTarget> {
    return toTarget(
      await unary<GetMetricSpecResponse__Output>((done) => this.client.GetMetricSpec(this.reference, done)),
    );
  }

  /** The sum of all values, as the HPA computes it. The float counts if it is above 0 (external_scaler.go:216). */
  async value(metricName: string): Promise<number> {
    const request = { scaledObjectRef: this.reference, metricName };
    const { metricValues } = await unary<GetMetricsResponse__Output>((done) =>
      this.client.GetMetrics(request, done),
    );
    const first = metricValues[0];
    if (first === undefined) throw new Error(`no matching metrics found for ${metricName}`);
    return metricValues.reduce((sum, { metricValue, metricValueFloat }) => {
      return sum + (metricValueFloat > 0 ? metricValueFloat : Number(metricValue));
    }, 0);
  }

  async isActive(): Promise<boolean> {
    return (await unary<IsActiveResponse__Output>((done) => this.client.IsActive(this.reference, done)))
      .result;
  }

  /** Passes on every message of StreamIsActive. Opens the stream again whenever it ends. */
  followActivity(told: (active: boolean) => void): void {
    const open = () => this.client.StreamIsActive(this.reference);
    this.keepOpen<IsActiveResponse__Output>(open, ({ result }) => told(result), { resetByMessage: false });
  }

  /** Passes on every message of StreamMetricSpec. Does not ask again if the scaler lacks it. */
  followTarget(told: (target: MetricTarget) => void): void {
    const open = () => this.client.StreamMetricSpec(this.reference);
    this.keepOpen<GetMetricSpecResponse__Output>(open, (response) => told(toTarget(response)), {
      resetByMessage: true,
      endsForGoodOn: status.UNIMPLEMENTED,
    });
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
    for (const stream of this.streams) stream.cancel();
    this.client.close();
  }

  private keepOpen<T>(
    open: () => ClientReadableStream<T>,
    told: (message: T) => void,
    rules: { resetByMessage: boolean; endsForGoodOn?: status },
    delayMs = firstReopenMs,
  ): void {
    const stream = open();
    let messages = 0;
    this.streams.add(stream);
    stream.on('data', (message: T) => {
      messages++;
      told(message);
    });
    // The status says what went wrong. Without a listener the error would be thrown.
    stream.on('error', () => {});
    stream.on('status', ({ code }) => {
      this.streams.delete(stream);
      if (this.closed || code === rules.endsForGoodOn) return;
      const healthy = code === status.OK || (rules.resetByMessage && messages > 0);
      const waitMs = healthy ? firstReopenMs : delayMs;
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.keepOpen(open, told, rules, nextReopenMs(waitMs));
      }, waitMs);
      this.timers.add(timer);
    });
  }
}

/**
 * One spec for each trigger. The float counts if it is above 0. KEDA adds a number to the name, which the scaler never
 * sees.
 */
function toTarget({ metricSpecs }: GetMetricSpecResponse__Output): MetricTarget {
  const [spec] = metricSpecs;
  if (spec === undefined) throw new Error('the scaler gave no metric spec');
  const { metricName, targetSize, targetSizeFloat } = spec;
  return { name: metricName, perReplica: targetSizeFloat > 0 ? targetSizeFloat : Number(targetSize) };
}

async function unary<T>(call: (done: requestCallback<T>) => unknown): Promise<T> {
  return await new Promise((resolve, reject) => {
    call((error, response) => {
      if (error) reject(error);
      else if (response === undefined) reject(new Error('the scaler answered nothing'));
      else resolve(response);
    });
  });
}
