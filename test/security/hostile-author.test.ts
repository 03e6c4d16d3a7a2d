import { createServer } from 'node:net';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ref } from '../support/rpc-client.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const secrets = ['kafka-hunter2', 'sqs-hunter2', 'github-hunter2'];

/** Connections with credentials, to places where nobody listens. */
const connections = {
  orders: {
    source: 'kafka',
    bootstrapServers: ['127.0.0.1:1'],
    tls: true,
    sasl: { mechanism: 'plain', username: 'scaler', password: secrets[0] },
    namespaces: ['shop'],
  },
  jobs: {
    source: 'sqs',
    region: 'eu-central-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'id', secretAccessKey: secrets[1] },
    namespaces: ['shop'],
  },
  ci: {
    source: 'github',
    owner: 'acme',
    apiUrl: 'http://127.0.0.1:1',
    token: secrets[2],
    namespaces: ['shop'],
  },
};

async function start(): Promise<WholeScaler> {
  const scaler = await WholeScaler.start({
    connections,
    security: { allowPlaintextSecrets: true },
    limits: { firstSyncTimeoutSeconds: 1 },
  });
  onTestFinished(() => scaler.stop());
  return scaler;
}

/** A server of the author's, which counts who calls. */
async function stranger() {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { at: `127.0.0.1:${address.port}`, calls: () => calls };
}

const kafka = { source: 'kafka', consumerGroup: 'g', topic: 't' };
const sqs = { source: 'sqs', queueURL: 'q' };
const github = { source: 'github' };

describe('the author of a ScaledObject', () => {
  it('cannot have the scaler call an address of theirs', async () => {
    const { client } = await start();
    const { at, calls } = await stranger();
    const url = `http://${at}`;
    const attempts: Record<string, string>[] = [
      { ...kafka, bootstrapServers: at },
      { ...kafka, connection: 'orders', bootstrapServers: at },
      { ...sqs, awsEndpoint: url },
      { ...sqs, queueURL: `${url}/1/q` },
      { ...sqs, connection: 'jobs', queueURL: `${url}/1/q`, awsEndpoint: url },
      { ...github, githubApiURL: url },
      { ...github, connection: 'ci', githubApiURL: url },
      { ...kafka, connection: 'orders', oauthTokenEndpointUri: url },
    ];
    for (const attempt of attempts) {
      const reason = await client.isActive(ref('w', attempt)).catch((error: unknown) => error);
      expect(reason).toMatchObject({ code: expect.any(Number) });
    }
    expect(calls()).toBe(0);
  });

  it('cannot use a connection that is not for their namespace, by name or by address', async () => {
    const { client } = await start();
    const in_ = (metadata: Record<string, string>) => ({ ...ref('w', metadata), namespace: 'bank' });
    for (const [source, connection] of [
      [kafka, 'orders'],
      [sqs, 'jobs'],
      [github, 'ci'],
    ] as const) {
      await expect(client.getMetricSpec(in_({ ...source, connection }))).rejects.toMatchObject({
        code: Code.PERMISSION_DENIED,
      });
      await expect(client.getMetricSpec(in_(source))).rejects.toMatchObject({
        code: Code.INVALID_ARGUMENT,
        details: expect.not.stringContaining(connection === 'ci' ? '"ci"' : connection),
      });
    }
  });

  it('is never shown a credential of a connection', async () => {
    const scaler = await start();
    const said: unknown[] = [];
    for (const metadata of [
      kafka,
      sqs,
      github,
      { source: 'x' },
      { ...kafka, sasl: 'none', tls: 'disable' },
    ]) {
      said.push(await scaler.client.isActive(ref('w', metadata)).catch((reason: unknown) => `${reason}`));
    }
    for (const path of ['/metrics', '/api/triggers']) {
      said.push(await (await fetch(`http://127.0.0.1:${scaler.port('admin')}${path}`)).text());
    }
    const text = JSON.stringify([said, scaler.log.lines]);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  it('cannot upset it with names that every object has, control characters or lone surrogates', async () => {
    const { client } = await start();
    for (const odd of ['__proto__', 'constructor', 'toString', 'a\nlevel=fatal', '\u0000', '\ud800', '']) {
      for (const metadata of [
        { source: odd },
        { ...kafka, [odd]: 'x' },
        { ...kafka, connection: odd },
        { ...kafka, topic: odd },
      ]) {
        const reason = await client.getMetricSpec(ref(odd || 'w', metadata)).catch((error: unknown) => error);
        if (reason instanceof Error) expect(reason).toMatchObject({ code: Code.INVALID_ARGUMENT });
      }
    }
    expect((await client.getMetricSpec(ref('w', kafka))).metricSpecs).toHaveLength(1);
  });
});
