import { type ClientReadableStream, status as Code, credentials, type ServiceError } from '@grpc/grpc-js';
import { ExternalScaler } from './contract.ts';
import type { ExternalScalerClient } from './generated/externalscaler/ExternalScaler.ts';
import type { ScaledObjectRef } from './generated/externalscaler/ScaledObjectRef.ts';
import { codeName } from './status.ts';

/** How an RPC ended. `code`: gRPC's name for it, `DEADLINE_EXCEEDED` where a stream said nothing in time. */
export type Ended<R> =
  | { readonly kind: 'answer'; readonly response: R }
  | {
      readonly kind: 'error';
      readonly code: string;
      readonly message: string;
      /** True if a server sent it. False if there was no connection; the message says why. */
      readonly reached: boolean;
    };

/** PEM. Without any of them the connection is plaintext. */
export interface ClientTls {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
}

type Done<R> = (error: ServiceError | null, response?: R) => void;

/** Asks a running scaler as KEDA does. Every call ends within `timeoutMs`; none rejects. */
export class ScalerClient {
  private readonly raw: ExternalScalerClient;
  private readonly timeoutMs: number;

  /** Throws where a certificate or key cannot be used. */
  constructor(address: string, { ca, cert, key }: ClientTls, timeoutMs: number) {
    const isTls = ca !== null || cert !== null;
    const channel = isTls ? credentials.createSsl(ca, key, cert) : credentials.createInsecure();
    this.raw = new ExternalScaler(address, channel);
    this.timeoutMs = timeoutMs;
  }

  isActive(reference: ScaledObjectRef) {
    return ended((done: Done<{ result: boolean }>) => this.raw.IsActive(reference, this.options(), done));
  }

  getMetricSpec(reference: ScaledObjectRef) {
    return ended((done: Done<MetricSpecs>) => this.raw.GetMetricSpec(reference, this.options(), done));
  }

  getMetrics(scaledObjectRef: ScaledObjectRef, metricName: string) {
    return ended((done: Done<MetricValues>) =>
      this.raw.GetMetrics({ scaledObjectRef, metricName }, this.options(), done),
    );
  }

  /** The first message; `DEADLINE_EXCEEDED` where none comes within `timeoutMs`. */
  streamIsActive(reference: ScaledObjectRef, timeoutMs: number): Promise<Ended<{ result: boolean }>> {
    return first(this.raw.StreamIsActive(reference, this.options(timeoutMs)));
  }

  /** The first message. */
  streamMetricSpec(reference: ScaledObjectRef): Promise<Ended<MetricSpecs>> {
    return first(this.raw.StreamMetricSpec(reference, this.options()));
  }

  close(): void {
    this.raw.close();
  }

  private options(timeoutMs = this.timeoutMs): { deadline: number } {
    return { deadline: Date.now() + timeoutMs };
  }
}

interface MetricSpecs {
  readonly metricSpecs: readonly { metricName: string; targetSize: string; targetSizeFloat: number }[];
}

interface MetricValues {
  readonly metricValues: readonly { metricName: string; metricValue: string; metricValueFloat: number }[];
}

function ended<R>(call: (done: Done<R>) => unknown): Promise<Ended<R>> {
  return new Promise((resolve) => {
    call((error, response) => {
      if (response !== undefined) resolve({ kind: 'answer', response });
      else resolve(failed(error?.code ?? Code.UNKNOWN, error?.details ?? ''));
    });
  });
}

function first<R>(call: ClientReadableStream<R>): Promise<Ended<R>> {
  return new Promise((resolve) => {
    call.once('data', (response: R) => {
      resolve({ kind: 'answer', response });
      call.cancel();
    });
    // Also after the first message, when it is cancelled.
    call.on('error', () => {});
    call.once('status', ({ code, details }) => resolve(failed(code, details)));
  });
}

/** How grpc-js reports a call without a connection. The text around the reason does not help people. */
const noConnection =
  /^(?:No connection established\. Last error: (?:Error: )?(?<reason>.*?)(?: \([\d:.TZ-]+\))?\. Resolution note: .*|(?<name>Name resolution failed) for target .*|Deadline exceeded .*(?<slow>Waiting for LB pick).*)$/s;

function failed(code: Code, details: string): Ended<never> {
  const lost = noConnection.exec(details);
  if (lost === null) return { kind: 'error', code: codeName(code), message: details, reached: true };
  const { reason, name, slow } = lost.groups ?? {};
  const message = name ?? (slow === undefined ? inWords(reason ?? details) : 'no answer');
  return { kind: 'error', code: codeName(code), message, reached: false };
}

/** `…:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/…`: what OpenSSL says of TLS. */
function inWords(reason: string): string {
  return /:SSL routines:[^:]*:(?<said>[^:]+):/.exec(reason)?.groups?.['said'] ?? reason;
}
