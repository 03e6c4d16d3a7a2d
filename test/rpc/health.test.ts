import { Client, status as Code, credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GrpcServer } from '../../src/grpc/server.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { health } from '../support/health.ts';
import { grpcSettings, startServer } from '../support/rpc.ts';

describe('health', () => {
  it.each(['', 'externalscaler.ExternalScaler'])(
    'of %j follows what the scaler says of itself',
    async (service) => {
      const { port, server } = await startServer(new FakeTriggers());
      expect(await health(port, service)).toEqual({ status: 'SERVING' });
      server.setServing(false);
      expect(await health(port, service)).toEqual({ status: 'NOT_SERVING' });
    },
  );

  it('is not SERVING before the scaler says so', async () => {
    const deps = { triggers: new FakeTriggers(), metrics: new Metrics(), log: silentLogger };
    const server = new GrpcServer(grpcSettings, deps);
    const port = await server.listen();
    onTestFinished(() => server.drain(1000));
    expect(await health(port, '')).toEqual({ status: 'NOT_SERVING' });
  });

  it('of another service is NOT_FOUND', async () => {
    const { port } = await startServer(new FakeTriggers());
    await expect(health(port, 'other')).rejects.toMatchObject({ code: Code.NOT_FOUND });
  });
});

describe('reflection', () => {
  it.each(['v1', 'v1alpha'])('%s lists the service and its file', async (version) => {
    const { port } = await startServer(new FakeTriggers());
    const answers = await reflect(port, version, Buffer.from('3a00', 'hex'));
    expect(answers.toString('latin1')).toContain('externalscaler.ExternalScaler');
  });
});

/** ServerReflectionInfo with a request as bytes: `3a 00` is list_services. */
function reflect(port: number, version: string, request: Buffer): Promise<Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const call = client.makeBidiStreamRequest(path, same, same);
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.on('data', resolve);
    call.write(request);
    call.end();
  });
}
