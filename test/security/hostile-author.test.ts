import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status as Code, credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { Command } from '../support/command.ts';
import { ref, TestClient } from '../support/rpc-client.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const secrets = ['kafka-hunter2', 'sqs-hunter2', 'github-hunter2'];

/** Connections with credentials, to addresses where nobody listens. */
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

/** A server of the author's that counts its callers. */
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
  it('cannot make the scaler call an address of their own', async () => {
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

  it('cannot use a connection that excludes their namespace, by name or by address', async () => {
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

  it('cannot disturb it with names that every object has, control characters or lone surrogates', async () => {
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

/** `serve` as a process of its own, with little memory, so that a hang or a death shows from outside. */
async function serve() {
  const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-author-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const server = { host: '127.0.0.1', port: 0 };
  const config = join(directory, 'config.yaml');
  const limits = { firstSyncTimeoutSeconds: 1, coldReadTimeoutMs: 100 };
  await writeFile(
    config,
    stringify({
      grpc: server,
      admin: server,
      connections,
      limits,
      security: { allowPlaintextSecrets: true },
    }),
  );
  const command = new Command(['serve', '--config', config], { NODE_OPTIONS: '--max-old-space-size=128' });
  const client = new TestClient(`127.0.0.1:${await command.port('grpc')}`, credentials.createInsecure());
  onTestFinished(async () => {
    client.close();
    command.signal('SIGKILL');
    await command.exited;
  });
  return { command, client };
}

const kib = (count: number, unit: string) => unit.repeat(Math.ceil((count * 1024) / unit.length));
const manyKeys = (key: (i: number) => string, count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [key(i), '1']));
const madeUp = Array.from({ length: 3_000 }, (_, i) => `acme/no-${i}`).join();

const refusals: [string, Record<string, string>, RegExp][] = [
  [
    'a partition that no number can hold',
    { ...kafka, partitionLimitation: '9007199254740992' },
    /at most 2147483647/,
  ],
  ['one of 400 digits', { ...kafka, partitionLimitation: '9'.repeat(400) }, /at most 2147483647/],
  [
    '60 KiB of ranges',
    { ...kafka, partitionLimitation: kib(60, '0-49999,') },
    /partitionLimitation: has \d+ char/,
  ],
  ['60 KiB of topics', { ...kafka, topic: kib(60, 'a,') }, /topic: has \d+ characters/],
  ['a group of 60 KiB', { ...kafka, consumerGroup: kib(60, 'g') }, /consumerGroup: has \d+ characters/],
  [
    '60 KiB of brokers',
    { ...kafka, bootstrapServers: kib(60, 'b:1,') },
    /bootstrapServers: has \d+ characters/,
  ],
  ['3,000 repositories', { ...github, repos: madeUp }, /repos: has \d+ (members|characters)/],
  ['60 KiB of labels', { ...github, labels: kib(60, 'l,') }, /labels: has \d+ characters/],
  [
    'a repository read every second',
    { ...github, repos: 'web', maxStalenessSeconds: '2' },
    /at least 60 here, got 2/,
  ],
  ['a queue read every half second', { ...sqs, maxStalenessSeconds: '1' }, /at least 4 here, got 1/],
  ['a queue URL of 60 KiB', { ...sqs, queueURL: kib(60, 'q') }, /queueURL: has \d+ characters/],
  ['hundreds of unknown keys', { ...kafka, ...manyKeys((i) => `topik${i}`, 490) }, /and \d+ more/],
  [
    'thousands of keys',
    { ...kafka, ...manyKeys((i) => `topik${i}`, 3_500) },
    /metadata: has 3503 keys; the limit is 500/,
  ],
  ['an unknown key of 60 KiB', { ...kafka, [kib(60, 'k')]: '1' }, /unknown key/],
];

describe('the author of a ScaledObject cannot stop the process', () => {
  it('by any value, and learns what is wrong', async () => {
    const { client } = await serve();
    const within = () => ({ deadline: Date.now() + 10_000 });
    for (const [what, metadata, message] of refusals) {
      await expect(client.getMetricSpec(ref('w', metadata), within()), what).rejects.toMatchObject({
        code: Code.INVALID_ARGUMENT,
        details: expect.stringMatching(message),
      });
      expect((await client.getMetricSpec(ref('w', kafka), within())).metricSpecs).toHaveLength(1);
    }
  });

  it('by many triggers with many partitions each', async () => {
    const { client } = await serve();
    for (let i = 0; i < 150; i += 1) {
      const metadata = { ...kafka, partitionLimitation: `${i}-99998` };
      expect((await client.getMetricSpec(ref('w', metadata))).metricSpecs).toHaveLength(1);
    }
  });

  it('by long names, which are neither kept nor logged', async () => {
    const { client, command } = await serve();
    const long = kib(60, 'long-name');
    for (let i = 0; i < 300; i += 1) {
      for (const reference of [
        { ...ref(`${long}${i}`, kafka) },
        { ...ref('w', kafka), namespace: `${long}${i}` },
      ]) {
        await expect(client.getMetricSpec(reference)).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
      }
    }
    expect((await client.getMetricSpec(ref('w', kafka))).metricSpecs).toHaveLength(1);
    expect(command.stdout).not.toContain('long-namelong-name');
    expect(command.stdout.length).toBeLessThan(64 * 1024);
  });

  it('nor forge or hide a log line by control and bidi characters', async () => {
    const { client, command } = await serve();
    const odd = 'a\u0085b\u202ec\u009bd\u2028e';
    await expect(client.getMetricSpec(ref(odd, { ...kafka, [odd]: odd }))).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
    await expect(client.isActive(ref(odd, kafka))).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    const line = await command.line(({ msg }) => String(msg).startsWith('a trigger is refused'));
    await command.line(({ name }) => name === odd);
    expect(line['error']).toContain('shop/a\\u0085b\\u202ec\\u009bd\\u2028e');
    expect(command.stdout).not.toMatch(/[\u0080-\u009f\u2028\u202e]/);
  });
});
