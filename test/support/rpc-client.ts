import type {
  CallOptions,
  ChannelCredentials,
  ChannelOptions,
  ClientReadableStream,
  ServiceError,
  StatusObject,
} from '@grpc/grpc-js';
import { status as Code } from '@grpc/grpc-js';
import { ExternalScaler } from '../../src/grpc/contract.ts';
import type { ExternalScalerClient } from '../../src/grpc/generated/externalscaler/ExternalScaler.ts';
import type { GetMetricSpecResponse__Output } from '../../src/grpc/generated/externalscaler/GetMetricSpecResponse.ts';
import type { GetMetricsResponse__Output } from '../../src/grpc/generated/externalscaler/GetMetricsResponse.ts';
import type { IsActiveResponse__Output } from '../../src/grpc/generated/externalscaler/IsActiveResponse.ts';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';

type Done<R> = (error: ServiceError | null, response?: R) => void;

/** A reference with some metadata. `fake` is the name of the trigger. */
export function ref(
  name: string,
  scalerMetadata: Record<string, string> = { source: 'fake' },
): ScaledObjectRef {
  return { namespace: 'shop', name, scalerMetadata };
}

/** A client of the contract with promises, on a connection of its own. */
export class TestClient {
  readonly raw: ExternalScalerClient;
  private readonly streams = new Set<TestStream<unknown>>();

  constructor(address: string, channel: ChannelCredentials, options: ChannelOptions = {}) {
    this.raw = new ExternalScaler(address, channel, { 'grpc.use_local_subchannel_pool': 1, ...options });
  }

  isActive(reference: ScaledObjectRef, options: CallOptions = {}): Promise<IsActiveResponse__Output> {
    return promised((done) => this.raw.IsActive(reference, options, done));
  }

  getMetricSpec(
    reference: ScaledObjectRef,
    options: CallOptions = {},
  ): Promise<GetMetricSpecResponse__Output> {
    return promised((done) => this.raw.GetMetricSpec(reference, options, done));
  }

  getMetrics(
    scaledObjectRef: ScaledObjectRef | null,
    metricName: string,
    options: CallOptions = {},
  ): Promise<GetMetricsResponse__Output> {
    return promised((done) => this.raw.GetMetrics({ scaledObjectRef, metricName }, options, done));
  }

  streamIsActive(
    reference: ScaledObjectRef,
    options: CallOptions = {},
  ): TestStream<IsActiveResponse__Output> {
    return this.keep(new TestStream(this.raw.StreamIsActive(reference, options)));
  }

  streamMetricSpec(
    reference: ScaledObjectRef,
    options: CallOptions = {},
  ): TestStream<GetMetricSpecResponse__Output> {
    return this.keep(new TestStream(this.raw.StreamMetricSpec(reference, options)));
  }

  close(): void {
    for (const stream of this.streams) stream.cancel();
    this.raw.close();
  }

  private keep<R>(stream: TestStream<R>): TestStream<R> {
    this.streams.add(stream);
    void stream.ended.then(() => this.streams.delete(stream));
    return stream;
  }
}

function promised<R>(call: (done: Done<R>) => unknown): Promise<R> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (response === undefined) reject(error);
      else resolve(response);
    });
  });
}

/** The messages of a stream so far, and its end. */
export class TestStream<R> {
  readonly messages: R[] = [];
  /** The status at its end. */
  readonly ended: Promise<StatusObject>;
  private readonly call: ClientReadableStream<R>;
  private taken = 0;
  private wake: () => void = () => {};

  constructor(call: ClientReadableStream<R>) {
    this.call = call;
    call.on('data', (message: R) => {
      this.messages.push(message);
      this.wake();
    });
    // Any end except OK is an error too. `ended` reports it.
    call.on('error', () => {});
    this.ended = new Promise((resolve) => {
      call.on('status', (status) => {
        resolve(status);
        this.wake();
      });
    });
  }

  /** The next message. Rejects if the stream ends without one. */
  async next(): Promise<R> {
    let end: StatusObject | undefined;
    void this.ended.then((status) => {
      end = status;
    });
    while (this.taken >= this.messages.length) {
      if (end) throw new Error(`the stream ended with ${Code[end.code]}: ${end.details}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await Promise.resolve();
    }
    const message = this.messages[this.taken];
    if (message === undefined) throw new Error('unreachable');
    this.taken += 1;
    return message;
  }

  cancel(): void {
    this.call.cancel();
  }

  pause(): void {
    this.call.pause();
  }

  resume(): void {
    this.call.resume();
  }
}
