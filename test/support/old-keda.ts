import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type StatusObject,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { onTestFinished } from 'vitest';

/** KEDA's contract from 2.0 to 2.16: only whole numbers, and no StreamMetricSpec. */
const before217 = `
syntax = "proto3";
package externalscaler;
service ExternalScaler {
  rpc IsActive(ScaledObjectRef) returns (IsActiveResponse) {}
  rpc StreamIsActive(ScaledObjectRef) returns (stream IsActiveResponse) {}
  rpc GetMetricSpec(ScaledObjectRef) returns (GetMetricSpecResponse) {}
  rpc GetMetrics(GetMetricsRequest) returns (GetMetricsResponse) {}
}
message ScaledObjectRef { string name = 1; string namespace = 2; map<string, string> scalerMetadata = 3; }
message IsActiveResponse { bool result = 1; }
message GetMetricSpecResponse { repeated MetricSpec metricSpecs = 1; }
message MetricSpec { string metricName = 1; int64 targetSize = 2; }
message GetMetricsRequest { ScaledObjectRef scaledObjectRef = 1; string metricName = 2; }
message GetMetricsResponse { repeated MetricValue metricValues = 1; }
message MetricValue { string metricName = 1; int64 metricValue = 2; }
`;

/** A client compiled from the old contract. It does not see newer fields. */
export interface OldKeda {
  ask(rpc: 'IsActive' | 'GetMetricSpec' | 'GetMetrics', request: object): Promise<unknown>;
  /** The messages of a StreamIsActive, and how it ends. */
  push(request: object): { readonly messages: unknown[]; readonly ended: Promise<StatusObject> };
  /** The names of its RPCs. */
  readonly rpcs: string[];
}

export function oldKeda(port: number): OldKeda {
  const Client = load();
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return {
    rpcs: Object.keys(Client.service),
    ask: (rpc, request) =>
      new Promise((resolve, reject) => {
        client[rpc]?.(request, (error: Error | null, response: unknown) => {
          if (error) reject(error);
          else resolve(response);
        });
      }),
    push: (request) => {
      const stream: ClientReadableStream<unknown> = client['StreamIsActive']?.(request);
      onTestFinished(() => stream.cancel());
      const messages: unknown[] = [];
      stream.on('data', (message) => messages.push(message));
      // Any end except OK is an error too. `ended` reports it.
      stream.on('error', () => {});
      return { messages, ended: new Promise((resolve) => stream.on('status', resolve)) };
    },
  };
}

function load(): ServiceClientConstructor {
  const dir = mkdtempSync(join(tmpdir(), 'old-proto-'));
  const file = join(dir, 'externalscaler.proto');
  writeFileSync(file, before217);
  const loaded = loadPackageDefinition(loadSync(file, { longs: String, defaults: true }));
  rmSync(dir, { recursive: true });
  // The loader's types have no names.
  return (loaded as unknown as { externalscaler: { ExternalScaler: ServiceClientConstructor } })
    .externalscaler.ExternalScaler;
}
