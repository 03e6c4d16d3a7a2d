import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownFileSettings } from '../../src/config/files.ts';
import { type Loaded, loadConfig } from '../../src/config/load.ts';
import { sources } from '../../src/sources/index.ts';
import { contentOf } from '../support/example-config.ts';
import { useTools } from '../support/tools/use-tool.ts';
import { cases } from './cases.ts';
import { at, type Manifest, manifest, manifests, render, type Values } from './helm.ts';

/** Loads the rendered configuration as `serve` does. Only files that the pod mounts can be read. */
async function load(all: readonly Manifest[]): Promise<Loaded> {
  const text = String(at(manifest(all, 'ConfigMap', 'wakes-backlog-scaler'), 'data', 'config.yaml'));
  const mounts = at(manifest(all, 'Deployment'), 'spec', 'template', 'spec', 'containers', 0, 'volumeMounts');
  const folders = Array.isArray(mounts) ? mounts.map((mount) => String(at(mount, 'mountPath'))) : [];
  const root = await mkdtemp(join(tmpdir(), 'backlog-scaler-chart-'));
  try {
    for (const [, path = ''] of text.matchAll(/File: (\S+)/g)) {
      if (!folders.includes(dirname(path))) continue;
      await mkdir(join(root, dirname(path)), { recursive: true });
      await writeFile(join(root, path), contentOf(path));
    }
    const file = join(root, 'config.yaml');
    await writeFile(file, text.replaceAll(/(File: |dir: )\//g, `$1${root}/`));
    const result = await loadConfig(file, { environment: {}, sources });
    if (result.kind === 'refused') throw new Error(result.faults.map(({ message }) => message).join('\n'));
    return result;
  } finally {
    await rm(root, { recursive: true });
  }
}

const podAnnotations = ['spec', 'template', 'metadata', 'annotations'];

describe("the chart's configuration", () => {
  const tool = useTools('helm-3');
  const loaded = (values: Values) => load(manifests(tool('helm-3'), values));

  it.each(Object.entries(cases))('is accepted by the scaler: %s', async (_, values) => {
    const { start } = await loaded(values);
    expect(start).toMatchObject({ grpc: { port: 6000 }, admin: { port: 8080 }, ingest: { port: 8081 } });
  });

  it('listens where the values say, with all of its ports', async () => {
    const { start } = await loaded({ listenHost: '::1' });
    expect(start).toMatchObject({ grpc: { host: '::1' }, admin: { host: '::1' }, ingest: { host: '::1' } });
  });

  it('has the connections of the values', async () => {
    const {
      config: { connections },
    } = await loaded(cases['several pods for Kafka'] ?? {});
    expect([...connections.keys()]).toEqual(['orders']);
  });

  it('has the files of the certificates', async () => {
    const { start } = await loaded(cases['certificates of cert-manager'] ?? {});
    expect(start.grpc.tls).toMatchObject({
      certFile: expect.stringMatching(/\/etc\/backlog-scaler-tls\/tls\.crt$/),
      clientCaFile: expect.stringMatching(/\/etc\/backlog-scaler-client-ca\/ca\.crt$/),
      allowedClientNames: ['keda-operator'],
    });
    expect((await loaded({})).start.grpc.tls).toBeUndefined();
  });

  it('ends connections in time if several pods exist', async () => {
    expect((await loaded({ replicaCount: 2 })).start.grpc.maxConnectionAgeSeconds).toBe(1800);
    expect((await loaded({})).start.grpc.maxConnectionAgeSeconds).toBeUndefined();
    const own = { replicaCount: 2, config: { grpc: { maxConnectionAgeSeconds: 60 } } };
    expect((await loaded(own)).start.grpc.maxConnectionAgeSeconds).toBe(60);
  });

  it.each([
    { what: 'the log level', config: { log: { level: 'debug' } }, restarts: false },
    { what: 'a connection', config: { connections: { b: { source: 'kafka' } } }, restarts: false },
    { what: 'the event log', config: { eventLog: { type: 'memory', maxEvents: 9 } }, restarts: true },
    { what: 'how old connections get', config: { grpc: { maxConnectionAgeSeconds: 9 } }, restarts: true },
  ])(
    'restarts the pods for settings that are only read at the start: $what $restarts',
    ({ config, restarts }) => {
      const checksum = (values: Values) =>
        at(manifest(manifests(tool('helm-3'), values), 'Deployment'), ...podAnnotations, 'checksum/config');
      expect(checksum({ config }) !== checksum({})).toBe(restarts);
      expect(checksum({ config, restartOnConfigChange: true })).not.toBe(
        checksum({ restartOnConfigChange: true }),
      );
    },
  );

  it.each([
    ['admin.token', { admin: { token: 'hunter2' } }],
    ['ingest.tokens[0].token', { ingest: { tokens: [{ name: 'a', token: 'hunter2', connections: ['x'] }] } }],
    ['decisions.token', { decisions: { sink: 'https://a.test', token: 'hunter2' } }],
    [
      'connections.o.sasl.password',
      { connections: { o: { source: 'kafka', sasl: { password: 'hunter2' } } } },
    ],
    [
      'connections.o.sasl.password',
      { connections: { o: { source: 'kafka', sasl: { password: 12345678 } } } },
    ],
    [
      'connections.c.webhookSecrets',
      { connections: { c: { source: 'github', webhookSecrets: ['hunter2'] } } },
    ],
    [
      'connections.o.tls.key',
      { connections: { o: { source: 'kafka', tls: { key: '-----BEGIN PRIVATE KEY-----' } } } },
    ],
  ])('has no secret: %s is refused, and not shown', (key, config) => {
    const { ok, output } = render(tool('helm-3'), { config });
    expect(ok).toBe(false);
    expect(output).toContain(`config.${key}: a`);
    expect(output).toContain('cannot be in a ConfigMap');
    expect(output).not.toMatch(/hunter2|12345678/);
  });

  it('knows every secret that can come from a file', () => {
    const settings = [ownFileSettings, ...sources.map(({ files = {} }) => files)].flatMap(Object.entries);
    const secrets = settings.filter(([, how]) => how !== 'open').map(([key]) => key);
    const taken = secrets.filter((key) => {
      const connections = { a: { source: 'kafka', [key]: 'hunter2' } };
      return render(tool('helm-3'), { config: { connections } }).ok;
    });
    expect(taken).toEqual([]);
    expect(secrets).toContain('password');
  });

  it('may name a variable in place of a secret', () => {
    expect(render(tool('helm-3'), { config: { admin: { token: '${TOKEN}' } } }).ok).toBe(true);
  });
});
