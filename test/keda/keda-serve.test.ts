import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import type { KedaTrigger } from './keda-client.ts';
import { addressed, eventually, useKeda } from './use-keda.ts';

const value = 'hunter2-of-the-workload';
const name = 's0-kafka-billing-orders';

/** The built command as a process. Nothing listens at its broker's address. */
async function serve(tls?: object) {
  const folder = await ConfigFolder.make();
  onTestFinished(() => folder.remove());
  const address = { host: '127.0.0.1', port: 0 };
  const config = {
    grpc: tls === undefined ? address : { ...address, tls },
    admin: address,
    connections: { orders: { source: 'kafka', bootstrapServers: ['127.0.0.1:1'] } },
  };
  await folder.write('config.yaml', stringify(config));
  const command = new Command(['serve', '--config', folder.file]);
  onTestFinished(async () => {
    command.signal('SIGKILL');
    await command.exited;
  });
  await command.line(({ state }) => state === 'serving');
  return { command, port: await command.port('grpc') };
}

function trigger(port: number, more: Record<string, string> = {}): KedaTrigger {
  const metadata = { source: 'kafka', connection: 'orders', consumerGroup: 'billing', topic: 'orders' };
  return addressed(port, { ...metadata, lagThreshold: '2.5', ...more });
}

describe("KEDA's own client and the built command", () => {
  const startKeda = useKeda();
  let directory = '';
  let certificates: Certificates;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'keda-serve-'));
    certificates = makeCertificates(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('have the spec without the source, polled and pushed, an error for the number, and end with OK', async () => {
    const { command, port } = await serve();
    const keda = startKeda();
    await keda.open('a', trigger(port));
    const spec = [{ name, metricType: 'AverageValue', target: 2.5 }];
    expect(await keda.spec('a')).toEqual(spec);
    await expect(keda.metrics('a', name)).rejects.toThrow(/code = Unavailable/);
    const { specs } = await keda.run('a');
    await eventually(() => expect(specs).toEqual([spec]));
    command.signal('SIGTERM');
    expect(await command.exited).toBe(0);
    // KEDA logs every end of a stream except OK. The other line is about the number.
    expect(keda.errors.filter((line) => line.includes('Stream'))).toEqual([]);
  });

  it('a secret of the workload: refused without TLS, accepted with it, shown nowhere', async () => {
    const plain = await serve();
    const keda = startKeda();
    const secret = { resolvedEnv: { KAFKA_PASSWORD: value } };
    const from = { passwordFromEnv: 'KAFKA_PASSWORD' };
    await keda.open('plain', { ...trigger(plain.port, from), ...secret });
    expect(await keda.spec('plain')).toEqual([]);
    expect(keda.errors.join()).toMatch(/code = InvalidArgument .*passwordFromEnv: is a secret/);

    const { ca, server } = certificates;
    const secure = await serve({ certFile: server.cert, keyFile: server.key });
    const authParams = { caCert: readFileSync(ca, 'utf8') };
    await keda.open('secure', { ...trigger(secure.port, from), ...secret, authParams });
    expect(await keda.spec('secure')).toHaveLength(1);
    await expect(keda.metrics('secure', name)).rejects.toThrow(/code = Unavailable/);
    const said = [plain.command.stdout, secure.command.stdout, ...keda.errors].join();
    expect(said).not.toContain(value);
  });
});
