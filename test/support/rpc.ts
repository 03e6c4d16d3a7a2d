import type { ChannelCredentials } from '@grpc/grpc-js';
import { credentials } from '@grpc/grpc-js';
import { expect, onTestFinished, vi } from 'vitest';
import { GrpcServer, type GrpcSettings, type GrpcTimes } from '../../src/grpc/server.ts';
import type { LiveTriggers } from '../../src/grpc/service.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { TestClient } from './rpc-client.ts';

/** The configuration's defaults, but a free port. */
export const grpcSettings: GrpcSettings = {
  host: '127.0.0.1',
  port: 0,
  maxConnections: 256,
  maxStreams: 60_000,
  maxStreamsPerConnection: 40_000,
  maxCalls: 10_000,
};

export interface StartOptions extends Partial<GrpcSettings> {
  times?: GrpcTimes;
  log?: Logger;
}

export interface TestServer {
  server: GrpcServer;
  metrics: Metrics;
  port: number;
  client: TestClient;
  /** Another client, on a connection of its own. */
  connect(channel?: ChannelCredentials): TestClient;
}

/**
 * A real server on a free port, and its client. Both are closed at the end of the test. The test fails if a stream is
 * left open, or if the server does not drain by itself.
 */
export async function startServer(triggers: LiveTriggers, options: StartOptions = {}): Promise<TestServer> {
  const { times, log = silentLogger, ...rest } = options;
  const metrics = new Metrics();
  const server = new GrpcServer({ ...grpcSettings, ...rest }, { triggers, metrics, log }, times);
  const port = await server.listen();
  server.setServing(true);
  const clients: TestClient[] = [];
  const connect = (channel = credentials.createInsecure()): TestClient => {
    const client = new TestClient(`127.0.0.1:${port}`, channel);
    clients.push(client);
    return client;
  };
  onTestFinished(async () => {
    for (const client of clients) client.close();
    await vi.waitFor(() => expect(server.openStreams, 'streams left behind').toBe(0));
    await expectNoStreams(metrics);
    await server.drain(1000);
  });
  return { server, metrics, port, client: connect(), connect };
}

async function expectNoStreams(metrics: Metrics): Promise<void> {
  const { values } = await metrics.streams.get();
  for (const { labels, value } of values) expect(value, `streams{rpc="${labels.rpc}"}`).toBe(0);
}

/** How often an RPC ended with this code. */
export async function rpcCount(metrics: Metrics, method: string, code: string): Promise<number> {
  const { values } = await metrics.rpcRequests.get();
  return values.find(({ labels }) => labels.method === method && labels.code === code)?.value ?? 0;
}
