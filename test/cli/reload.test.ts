import { createServer } from 'node:net';
import { credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { Command } from '../support/command.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { ref, TestClient } from '../support/rpc-client.ts';

let folder: ConfigFolder;
beforeEach(async () => {
  folder = await ConfigFolder.make();
});
afterEach(() => folder.remove());

const address = { host: '127.0.0.1', port: 0 };
const servers = { grpc: address, admin: address, ingest: address };
const reloaded = 'the configuration was reloaded';
const refused = 'the changed configuration was refused; the old one stays';

/** `serve` as a process, and its client. */
class Serving {
  readonly command: Command;
  private client: TestClient | undefined;
  private reloads = 0;

  static async start(settings: object): Promise<Serving> {
    const serving = await Serving.starting(settings);
    await serving.command.line(({ state }) => state === 'serving');
    return serving;
  }

  static async starting(settings: object): Promise<Serving> {
    await write(settings);
    const command = new Command(['serve', '--config', folder.file]);
    const serving = new Serving(command);
    onTestFinished(async () => {
      serving.client?.close();
      command.signal('SIGKILL');
      await command.exited;
    });
    return serving;
  }

  private constructor(command: Command) {
    this.command = command;
  }

  async rpc(): Promise<TestClient> {
    const port = await this.command.port('grpc');
    this.client ??= new TestClient(`127.0.0.1:${port}`, credentials.createInsecure());
    return this.client;
  }

  /** Resolves with the log's line about it. */
  async reload(settings: object): Promise<Readonly<Record<string, unknown>>> {
    await write(settings);
    this.command.signal('SIGHUP');
    this.reloads += 1;
    let seen = 0;
    return this.command.line(({ msg }) => {
      if (msg === reloaded || msg === refused) seen += 1;
      return seen === this.reloads;
    });
  }

  async adminStatus(path: string): Promise<number> {
    return (await fetch(`http://127.0.0.1:${await this.command.port('admin')}${path}`)).status;
  }
}

function write(settings: object): Promise<void> {
  return folder.write('config.yaml', stringify({ ...servers, ...settings }));
}

describe('serve, when its configuration changes the place of a live trigger', () => {
  const trigger = ref('runners', { source: 'github', connection: 'ci' });

  const start = async () => {
    const github = await FakeGitHub.start({ owner: 'acme', token: 'pat' });
    onTestFinished(() => github.close());
    github.addRepo('web');
    const settings = (ci: object) => ({
      limits: { coldReadTimeoutMs: 100 },
      security: { allowPlaintextSecrets: true },
      connections: { ci: { source: 'github', owner: 'acme', token: 'pat', apiUrl: github.url, ...ci } },
    });
    const serving = await Serving.start(settings({}));
    const rpc = await serving.rpc();
    await expect.poll(() => rpc.isActive(trigger).catch(() => undefined)).toEqual({ result: false });
    const nameNow = async () => (await rpc.getMetricSpec(trigger)).metricSpecs[0]?.metricName ?? '';
    const before = await nameNow();
    await github.close();
    return { serving, rpc, settings, nameNow, before };
  };

  it('forgets readings from another place: unknown until it is read, never zero', async () => {
    const { serving, rpc, settings, nameNow, before } = await start();
    expect(await serving.reload(settings({ owner: 'labs' }))).toMatchObject({ applied: ['connections.ci'] });
    const name = await nameNow();
    expect(name).not.toBe(before);
    await expect(rpc.isActive(trigger)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(rpc.getMetrics(trigger, name)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('keeps its readings if only credentials or namespaces change', async () => {
    const { serving, rpc, settings, nameNow, before } = await start();
    for (const ci of [{ token: 'another' }, { namespaces: ['shop', 'other'] }]) {
      expect(await serving.reload(settings(ci))).toMatchObject({ applied: ['connections.ci'] });
      expect(await nameNow()).toBe(before);
      expect(await rpc.isActive(trigger)).toEqual({ result: false });
    }
  });
});

const kafka = { source: 'kafka', bootstrapServers: ['127.0.0.1:1'] };
const consumer = { source: 'kafka', consumerGroup: 'workers', topic: 'orders' };

describe('serve, when a changed configuration is refused', () => {
  it('has changed nothing: the refused one allows nothing', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const found = taken.address();
    const port = typeof found === 'object' && found !== null ? found.port : 0;
    const serving = await Serving.start({ ingest: { ...address, port }, connections: { orders: kafka } });
    const rpc = await serving.rpc();
    const withSecret = ref('worker', { ...consumer, passwordFromEnv: 'PASSWORD' });
    const named = ref('other', { ...consumer, connection: 'other' });
    const isAsBefore = async () => {
      for (const trigger of [withSecret, named])
        await expect(rpc.isActive(trigger)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    };
    await isAsBefore();
    // Everything can be opened except the port of the first sender, which comes last.
    const tokens = [{ name: 'producer', token: '0123456789abcdef', connections: ['orders'] }];
    const line = await serving.reload({
      ingest: { ...address, port, tokens },
      security: { allowPlaintextSecrets: true },
      log: { level: 'error' },
      connections: { orders: kafka, other: kafka },
    });
    expect(line).toMatchObject({ msg: refused, faults: [expect.stringContaining('ingest: cannot listen')] });
    await isAsBefore();
    expect(await serving.reload({ connections: { orders: kafka } })).toMatchObject({
      msg: reloaded,
      applied: [],
    });
  });

  it('still requires its token if the file, or the token, is truncated', async () => {
    await folder.write('token', '0123456789abcdef');
    const whole = { connections: { orders: kafka } };
    const guarded = { ...whole, admin: { ...address, tokenFile: 'token' } };
    const serving = await Serving.start({ connections: {} });
    expect(await serving.reload(guarded)).toMatchObject({ applied: ['admin.token', 'connections.orders'] });
    expect(await serving.adminStatus('/metrics')).toBe(401);

    expect(await serving.reload(whole)).toMatchObject({
      faults: [expect.stringMatching(/^admin\.token: is left out/)],
    });
    await folder.write('token', '0');
    expect(await serving.reload(guarded)).toMatchObject({
      faults: ['admin.tokenFile: must be at least 16 characters long'],
    });
    expect(await serving.adminStatus('/metrics')).toBe(401);
  });
});

it('serve applies a configuration that changes during its start', async () => {
  const serving = await Serving.starting({ connections: {} });
  await serving.command.line(({ state }) => state === 'starting');
  expect(await serving.reload({ connections: { orders: kafka } })).toMatchObject({
    msg: reloaded,
    applied: ['connections.orders'],
  });
  const spec = (await serving.rpc()).getMetricSpec(ref('worker', consumer));
  expect((await spec).metricSpecs).toHaveLength(1);
  expect(await serving.reload({ connections: { orders: kafka } })).toMatchObject({ applied: [] });
});
