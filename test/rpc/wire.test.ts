import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeDesk } from '../support/fake-desk.ts';
import { rawCall, rawConnection } from '../support/raw-rpc.ts';
import { startServer } from '../support/rpc.ts';

const text = (value: string): string => Buffer.from(value).toString('hex');

/** ScaledObjectRef { name: "a", namespace: "shop", scalerMetadata: { source: "fake" } }, by hand. */
const reference = `0a0161${'1204'}${text('shop')}1a0e${`0a06${text('source')}1204${text('fake')}`}`;

describe('the wire', () => {
  it.each([
    ['IsActive', reference, '0801'],
    ['IsActive', `${reference}7a03${text('new')}`, '0801'],
    // MetricSpec: name = 1, targetSize = 2 (varint), targetSizeFloat = 3 (double, little endian).
    ['GetMetricSpec', reference, `0a13${`0a06${text('fake-a')}100a190000000000002440`}`],
    [
      'GetMetrics',
      `0a19${reference}1206${text('fake-a')}`,
      `0a13${`0a06${text('fake-a')}101a190000000000803940`}`,
    ],
  ])('2 wire golden: %s of %s is %s', async (method, request, response) => {
    const desk = new FakeDesk();
    desk.known('a', 25.5);
    const { port } = await startServer(desk);
    const call = rawCall(await rawConnection(port), method, Buffer.from(request, 'hex'));
    expect(await call.status).toBe(0);
    expect(call.messages().map((message) => message.toString('hex'))).toEqual([response]);
  });

  it('3 old client (no float fields): int targetSize and metricValue are set and sane', async () => {
    const desk = new FakeDesk();
    desk.known('a', 0.2);
    const { port } = await startServer(desk);
    const old = oldClient(port);
    const ref = { name: 'a', namespace: 'shop', scalerMetadata: { target: '2.5' } };
    const spec = await old('GetMetricSpec', ref);
    expect(spec).toEqual({ metricSpecs: [{ metricName: 'fake-a', targetSize: '3' }] });
    const metrics = await old('GetMetrics', { scaledObjectRef: ref, metricName: 'fake-a' });
    expect(metrics).toEqual({ metricValues: [{ metricName: 'fake-a', metricValue: '1' }] });
  });
});

/** The contract as it was before KEDA v2.17, as far as these two RPCs go. */
const before217 = `
syntax = "proto3";
package externalscaler;
service ExternalScaler {
  rpc GetMetricSpec(ScaledObjectRef) returns (GetMetricSpecResponse) {}
  rpc GetMetrics(GetMetricsRequest) returns (GetMetricsResponse) {}
}
message ScaledObjectRef { string name = 1; string namespace = 2; map<string, string> scalerMetadata = 3; }
message GetMetricSpecResponse { repeated MetricSpec metricSpecs = 1; }
message MetricSpec { string metricName = 1; int64 targetSize = 2; }
message GetMetricsRequest { ScaledObjectRef scaledObjectRef = 1; string metricName = 2; }
message GetMetricsResponse { repeated MetricValue metricValues = 1; }
message MetricValue { string metricName = 1; int64 metricValue = 2; }
`;

function oldClient(port: number): (method: string, request: object) => Promise<unknown> {
  const dir = mkdtempSync(join(tmpdir(), 'old-proto-'));
  const file = join(dir, 'externalscaler.proto');
  writeFileSync(file, before217);
  const loaded = loadPackageDefinition(loadSync(file, { longs: String, defaults: true }));
  rmSync(dir, { recursive: true });
  const { externalscaler } = loaded as unknown as {
    externalscaler: { ExternalScaler: ServiceClientConstructor };
  };
  const client = new externalscaler.ExternalScaler(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return (method, request) =>
    new Promise((resolve, reject) => {
      client[method]?.(request, (error: Error | null, response: unknown) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
}
