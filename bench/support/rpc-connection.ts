import { ExternalScaler } from '../../src/grpc/contract.ts';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import { Http2Connection } from './http2-connection.ts';
import { headerBlock } from './http2-frames.ts';

/** A request ready to send. */
export interface Call {
  readonly path: string;
  readonly headers: Buffer;
  readonly body: Buffer;
}

const { GetMetricSpec, GetMetrics, IsActive, StreamIsActive, StreamMetricSpec } = ExternalScaler.service;

export function metricSpecCall(reference: ScaledObjectRef): Call {
  return call(GetMetricSpec.path, GetMetricSpec.requestSerialize(reference));
}

export function metricsCall(scaledObjectRef: ScaledObjectRef): Call {
  return call(GetMetrics.path, GetMetrics.requestSerialize({ scaledObjectRef }));
}

export function isActiveCall(reference: ScaledObjectRef): Call {
  return call(IsActive.path, IsActive.requestSerialize(reference));
}

export function activityStream(reference: ScaledObjectRef): Call {
  return call(StreamIsActive.path, StreamIsActive.requestSerialize(reference));
}

export function specStream(reference: ScaledObjectRef): Call {
  return call(StreamMetricSpec.path, StreamMetricSpec.requestSerialize(reference));
}

function call(path: string, message: Buffer): Call {
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': '127.0.0.1',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  // gRPC's framing: not compressed, the length in four bytes, the message.
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return { path, headers: headerBlock(headers), body: Buffer.concat([head, message]) };
}

/** A connection to a scaler, for all calls and streams, as KEDA has one. */
export class RpcConnection {
  private readonly connection: Http2Connection;

  static async open(address: string): Promise<RpcConnection> {
    const [host = '', port] = address.split(':');
    return new RpcConnection(await Http2Connection.open(host, Number(port)));
  }

  private constructor(connection: Http2Connection) {
    this.connection = connection;
  }

  /** Resolves with the ms to the end of the answer. Rejects if it has no message, as in every failure of gRPC. */
  unary({ path, headers, body }: Call): Promise<number> {
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      let answered = false;
      this.connection.request(headers, body, {
        data: () => {
          answered = true;
        },
        ended: (why) => {
          if (answered && why === undefined) resolve(performance.now() - startedMs);
          else reject(new Error(`${path} failed: ${why ?? 'an answer without a message'}`));
        },
      });
    });
  }

  /** Opens a stream and keeps it open. Resolves with its first message. */
  hold({ path, headers, body }: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      this.connection.request(headers, body, {
        data: () => resolve(),
        ended: (why) => reject(new Error(`${path} has ended: ${why ?? 'in order'}`)),
      });
    });
  }

  close(): void {
    this.connection.close();
  }
}
