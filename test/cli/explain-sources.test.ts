import { once } from 'node:events';
import { createServer } from 'node:net';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { type EmbeddedSqs, startSqs } from '../../fakes/sqs/embedded-sqs.ts';
import { makeCertificates } from '../support/certificates.ts';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { explain, explainedJson, explainOne, partsOf, scaledObject, sectionOf } from '../support/explain.ts';
import { rightObject } from '../support/mistakes.ts';
import { TestClient } from '../support/rpc-client.ts';
import { sdkClient } from '../support/sqs/client.ts';
import { region } from '../support/sqs/region.ts';

const server = { host: '127.0.0.1', port: 0 };
const thumbnails = { source: 'sqs', connection: 'jobs', queueURL: 'thumbnails', queueLength: '2' };
const object = scaledObject('thumbnails', thumbnails);

let folder: ConfigFolder;
let commands: Command[];

beforeEach(async () => {
  folder = await ConfigFolder.make();
  commands = [];
});
afterEach(async () => {
  for (const command of commands) {
    command.signal('SIGKILL');
    await command.exited;
  }
  await folder.remove();
});

function start(args: readonly string[], input?: string): Command {
  const command = new Command(args, {}, input);
  commands.push(command);
  return command;
}

it('asks a running scaler, whose source is down', async () => {
  const orders = { source: 'kafka', bootstrapServers: ['127.0.0.1:1'], namespaces: ['shop'] };
  await folder.write('config.yaml', stringify({ grpc: server, admin: server, connections: { orders } }));
  const scaler = start(['serve', '--config', folder.file]);
  const { code, stdout } = await explain(
    ['--address', `127.0.0.1:${await scaler.port('grpc')}`],
    rightObject,
  );
  expect(code).toBe(3);
  expect(stdout).toMatch(/IsActive, GetMetrics: UNAVAILABLE: kafka trigger of shop\/order-workers/);
  expect(stdout).toMatch(/GetMetricSpec, StreamMetricSpec: metricName=kafka-order-workers-orders/);
});

describe('explain of a queue', () => {
  let sqs: EmbeddedSqs;
  let client: SQSClient;
  let url: string;

  beforeEach(async (test) => {
    sqs = await startSqs();
    client = sdkClient(test, sqs.endpoint);
    const made = await client.send(new CreateQueueCommand({ QueueName: 'thumbnails' }));
    url = made.QueueUrl ?? expect.fail('a queue without a URL');
  });
  afterEach(() => sqs.close());

  async function sent(count: number, delaySeconds = 0): Promise<void> {
    for (let i = 0; i < count; i += 1)
      await client.send(
        new SendMessageCommand({ QueueUrl: url, MessageBody: 'm', DelaySeconds: delaySeconds }),
      );
  }

  async function configured(settings: object = {}): Promise<string> {
    const jobs = {
      source: 'sqs',
      region,
      endpoint: sqs.endpoint,
      credentials: { accessKeyId: 'reader', secretAccessKey: 'reader' },
      activeReadSeconds: 1,
      idleReadSeconds: 1,
    };
    await folder.write(
      'config.yaml',
      stringify({ grpc: server, admin: server, connections: { jobs }, ...settings }),
    );
    return folder.file;
  }

  async function serving(settings: object = {}) {
    const command = start(['serve', '--config', await configured(settings)]);
    const [grpc, admin] = [await command.port('grpc'), await command.port('admin')];
    return { address: `127.0.0.1:${grpc}`, admin: `http://127.0.0.1:${admin}` };
  }

  it('reads it, and says which of its three counts matter', async () => {
    await sent(5);
    await sent(3, 600);
    await client.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 2 }));
    const explained = await explainOne(['--config', await configured()], object);
    expect(explained.code).toBe(0);
    expect(partsOf(explained)).toEqual([
      ['visible', 3, 'counts'],
      ['inFlight', 2, 'scaleOnInFlight is true'],
      ['delayed', 0, 'scaleOnDelayed is false'],
    ]);
    expect(explained.working?.rows[2]?.said).toEqual({ ApproximateNumberOfMessagesDelayed: 3 });
    expect(explained.answers).toContainEqual({
      rpc: 'GetMetrics',
      kind: 'answer',
      fields: { metricName: 'sqs-thumbnails', metricValue: '5', metricValueFloat: '5' },
    });
    const { stdout } = await explain(['--config', folder.file], object);
    expect(stdout).toContain(
      '    delayed: 0, scaleOnDelayed is false (ApproximateNumberOfMessagesDelayed 3)\n',
    );
  });

  it('waits until policy: drain has a number', async () => {
    await sent(40);
    const drain = { ...thumbnails, policy: 'drain', drainSeconds: '10', replicaRate: '2' };
    const { code, stdout, stderr } = await explain(
      ['--config', await configured()],
      scaledObject('thumbnails', drain),
    );
    expect(code).toBe(0);
    expect(stderr).toContain('policy: drain sees for 15 s what comes');
    expect(stdout).toMatch(/GetMetrics: metricName=sqs-thumbnails metricValue=2/);
    expect(stdout).toMatch(/active; 0 replicas now, 2 asked for/);
  });

  it('asks a running scaler, and shows the answers that KEDA gets', async () => {
    await sent(5);
    const { address, admin } = await serving();
    const keda = new TestClient(address, credentials.createInsecure());
    const reference = {
      namespace: 'shop',
      name: 'thumbnails',
      scalerMetadata: { scalerAddress: 'backlog-scaler.keda:6000', ...thumbnails },
    };
    const explained = await explainOne(['--address', address, '--admin', admin], object);
    const { metricSpecs } = await keda.getMetricSpec(reference);
    const { metricValues } = await keda.getMetrics(reference, 'sqs-thumbnails');
    const { result } = await keda.isActive(reference);
    const activity = keda.streamIsActive(reference);
    const spec = keda.streamMetricSpec(reference);
    const shown = (rpc: string, fields: object = {}) => ({
      rpc,
      kind: 'answer',
      fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])),
    });
    expect(explained.answers).toEqual([
      shown('IsActive', { result }),
      shown('StreamIsActive', await activity.next()),
      shown('GetMetricSpec', metricSpecs[0]),
      shown('StreamMetricSpec', (await spec.next()).metricSpecs[0]),
      shown('GetMetrics', metricValues[0]),
    ]);
    keda.close();
    expect(explained.detail).toMatchObject({ items: 5, desired: 3, up: true, visible: 5 });
    expect(explained.code).toBe(0);
  });

  it('knows no value from the environment, and shows how the scaler resolved it', async () => {
    await sent(4);
    const { queueURL, ...rest } = thumbnails;
    const fromEnv = scaledObject('thumbnails', { ...rest, queueURLFromEnv: 'THE_QUEUE' });
    const { address, admin } = await serving();
    const alone = await explainOne(['--address', address], fromEnv);
    expect(alone.answers).toEqual([]);
    expect(alone.notes.join()).toMatch(/queueURLFromEnv: only KEDA reads/);
    const before = await explainOne(['--admin', admin], fromEnv);
    expect(before.notes.join()).toMatch(/has no trigger that it could be/);
    const keda = new TestClient(address, credentials.createInsecure());
    const resolved = { ...rest, queueURLFromEnv: queueURL };
    await keda.isActive({ namespace: 'shop', name: 'thumbnails', scalerMetadata: resolved });
    keda.close();
    const { stdout, code } = await explain(['--address', address, '--admin', admin], fromEnv);
    expect(code).toBe(0);
    expect(stdout).toContain('    queueURL: (not shown) [queueURLFromEnv]\n');
    expect(stdout).toMatch(/^ {4}metricName: sqs-env-\w+$/m);
    expect(stdout).toMatch(/active; 0 replicas now, 2 asked for/);
  });

  it('sends the token of the admin port, and says when it is wrong', async () => {
    const token = 'a-token-for-people-who-look';
    await folder.write('token', `${token}\n`);
    await folder.write('wrong', 'another-token-for-people\n');
    const { admin } = await serving({ admin: { ...server, tokenFile: 'token' } });
    const args = (file: string) => ['--admin', admin, '--admin-token-file', `${folder.path}/${file}`];
    expect((await explainOne(args('token'), object)).code).toBe(0);
    const refused = await explainOne(args('wrong'), object);
    expect(refused.code).toBe(3);
    expect(refused.faults.join()).toContain('asks for another token: --admin-token-file');
    expect(JSON.stringify(refused)).not.toContain('token-for-people');
  });

  it('speaks TLS and mTLS', async () => {
    const { ca, server: own, client: caller } = makeCertificates(folder.path);
    const tls = { certFile: own.cert, keyFile: own.key, clientCaFile: ca };
    const { address } = await serving({ grpc: { ...server, tls } });
    const pair = ['--cert-file', caller.cert, '--key-file', caller.key];
    const asked = ['--address', address, '--ca-file', ca, ...pair];
    const ref = '      authenticationRef: { name: scaler, kind: ClusterTriggerAuthentication }\n';
    const called = await explain(asked, object + ref);
    expect([called.code, called.stderr]).toEqual([0, expect.not.stringContaining('authenticationRef')]);
    // The scaler answers this command, and KEDA could not call it.
    const uncalled = await explain(asked, object);
    expect(uncalled.code).toBe(2);
    expect(uncalled.stderr).toMatch(
      /error: .*authenticationRef: is missing: the gRPC port of the scaler has TLS/,
    );
    expect(uncalled.stdout).toContain('IsActive');
    for (const args of [[], ['--ca-file', ca]]) {
      const refused = await explainOne(['--address', address, ...args], object + ref);
      expect(refused.code).toBe(3);
      expect(refused.faults.join()).toMatch(
        /^No scaler answers at \S+ \([\w ]+\)\. .*--ca-file.*--cert-file/,
      );
    }
  });

  it('says when something else answers', async () => {
    const { admin } = await serving();
    const refused = await explainOne(['--address', admin.replace('http://', '')], object);
    expect(refused.code).toBe(3);
    expect(refused.faults.join()).toContain('No scaler answers at');
    const nothing = await explainOne(['--admin', sqs.endpoint], object);
    expect(nothing.code).toBe(3);
    expect(nothing.faults.join()).toMatch(/^--admin http:.* answers/);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('watches until %s: a line for each change', async (signal) => {
    await sent(1);
    const watching = start(
      ['explain', '-f', '-', '--watch', '-o', 'json', '--config', await configured()],
      object,
    );
    const lines = () => watching.stdout.split('\n').filter((line) => line !== '');
    const itemsOf = (line: string | undefined) => {
      const { resources } = explainedJson.parse(JSON.parse(line ?? ''));
      return resources[0]?.triggers[0]?.working?.rows[0]?.items;
    };
    await expect.poll(() => lines().length).toBe(1);
    expect(JSON.parse(lines()[0] ?? '')).toHaveProperty('at');
    await sent(2);
    await expect.poll(() => itemsOf(lines().at(-1))).toBe(3);
    expect(lines().map(itemsOf)).toEqual([1, 3]);
    watching.signal(signal);
    expect(await watching.exited).toBe(0);
    expect(watching.stderr).toBe('');
  });

  it('watches a running scaler as text, even while it is away', async () => {
    await sent(1);
    const command = start(['serve', '--config', await configured()]);
    const address = `127.0.0.1:${await command.port('grpc')}`;
    const watching = start(['explain', '-f', '-', '--watch', '--address', address], object);
    await expect.poll(() => watching.stdout).toMatch(/^--- \d{4}-\d\d-\d\dT[\d:.]+Z\nScaledObject shop/);
    command.signal('SIGKILL');
    await expect.poll(() => watching.stdout).toMatch(/\n\n--- .*No scaler answers at/s);
    watching.signal('SIGINT');
    expect(await watching.exited).toBe(0);
    expect(watching.stdout.match(/^--- /gm)).toHaveLength(2);
  });
});

it('leaves at once, even if a scaler still owes an answer', async () => {
  const mute = createServer().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const address = mute.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    const connected = once(mute, 'connection');
    const args = ['--watch', '--address', `127.0.0.1:${address.port}`];
    const watching = start(['explain', '-f', '-', ...args], object);
    await connected;
    const leftAtMs = performance.now();
    watching.signal('SIGINT');
    expect(await watching.exited).toBe(0);
    // Otherwise it would have waited for 10 s.
    expect(performance.now() - leftAtMs).toBeLessThan(8_000);
    expect(watching.stdout).toBe('');
  } finally {
    mute.close();
  }
});

describe('explain of the jobs of GitHub', () => {
  it('shows the count, and which jobs are skipped', async () => {
    const token = 'a-token-that-reads-actions';
    const github = await FakeGitHub.start({ owner: 'acme', token });
    try {
      github.addRepo('web');
      github.startRun('web', {
        jobs: [
          { labels: ['self-hosted', 'linux'] },
          { labels: ['self-hosted', 'linux'] },
          { labels: ['self-hosted', 'gpu'] },
        ],
      });
      const ci = { source: 'github', owner: 'acme', apiUrl: github.url, token };
      const config = { security: { allowPlaintextSecrets: true }, connections: { ci } };
      await folder.write('config.yaml', stringify(config));
      const runners = scaledObject('runners', { source: 'github', connection: 'ci', labels: 'linux' });
      const explained = await explainOne(['--config', folder.file], runners);
      expect(partsOf(explained)).toEqual([
        ['[linux, self-hosted]', 2, 'queued and running jobs count'],
        ['[gpu, self-hosted]', 0, 'skipped: the trigger\'s runners have no label "gpu"'],
      ]);
      expect(explained.working?.rows[1]?.said).toEqual({ queued: 1, running: 0 });
      expect(explained.notes.join()).toContain('what webhooks');
      const { stdout } = await explain(['--config', folder.file], runners);
      expect(sectionOf(stdout, 'Working, by sets of labels')).toBe(
        `  Working, by sets of labels
    [linux, self-hosted]: 2, queued and running jobs count (queued 2, running 0)
    [gpu, self-hosted]: 0, skipped: the trigger's runners have no label "gpu"
      (queued 1, running 0)
    together: 2
    jobs that wait for an approval or for another job are not queued yet
`,
      );
      expect(explained.code).toBe(0);
    } finally {
      await github.close();
    }
  });
});
