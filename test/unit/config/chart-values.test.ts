import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { chartKeys, chartValuesOf } from '../../../src/config/chart-values.ts';
import { sources } from '../../../src/sources/index.ts';

const schema = new URL('../../../deploy/helm/backlog-scaler/values.schema.json', import.meta.url);

it('knows the values that the chart has', () => {
  const { properties } = JSON.parse(readFileSync(schema, 'utf8'));
  expect(chartKeys).toEqual(Object.keys(properties));
});

const several = { replicaCount: 3 };
const events = { jobs: { source: 'events' } };
const topics = { jobs: { source: 'sqs', snsTopics: ['arn:aws:sns:eu-central-1:111111111111:a'] } };

it.each([
  [several, {}, undefined],
  [{ replicaCount: 1 }, { connections: events }, undefined],
  [several, { connections: { orders: { source: 'kafka' } } }, undefined],
  [several, { connections: events }, 'connection jobs'],
  [several, { connections: topics }, 'connection jobs'],
  [several, { connections: events, eventLog: { type: 'nats' } }, undefined],
  [several, { eventLog: { type: 'file' } }, 'the event log on a volume'],
  [several, { ingest: { tokens: [{}] } }, 'ingest'],
  [{ ...several, ingest: { enabled: true } }, {}, 'ingest'],
  [{ ...several, autoscaling: { enabled: true, maxReplicas: 1 } }, { connections: events }, undefined],
])('says what needs one pod: %j %j', (values, config, why) => {
  const faults = chartValuesOf({ ...values, config }, sources)?.faults;
  const text = `replicaCount: must be 1 because of ${why}, or set config.eventLog.type: nats`;
  expect(faults).toEqual(why === undefined ? [] : [{ path: ['replicaCount'], text }]);
});

const orders = (settings: object): object => ({ connections: { orders: { source: 'kafka', ...settings } } });
const key = '-----BEGIN PRIVATE KEY-----';

it.each([
  [orders({ sasl: { password: 'hunter2' } }), 'connections.orders.sasl.password', 'passwordFile'],
  [orders({ sasl: { password: '' } }), 'connections.orders.sasl.password', 'passwordFile'],
  [orders({ sasl: { password: 'a${PASSWORD}' } }), 'connections.orders.sasl.password', 'passwordFile'],
  [orders({ tls: { keyPassword: 1 } }), 'connections.orders.tls.keyPassword', 'keyPasswordFile'],
  [{ connections: { ci: { webhookSecrets: ['a'] } } }, 'connections.ci.webhookSecrets', 'webhookSecretFiles'],
  [{ ingest: { tokens: [{ name: 'a', token: 'b' }] } }, 'ingest.tokens[0].token', 'tokenFile'],
  [orders({ tls: { key } }), 'connections.orders.tls.key', 'keyFile'],
  [orders({ sasl: { password: '${PASSWORD}' } }), undefined, ''],
  [orders({ sasl: { password: null, passwordFile: '/a' } }), undefined, ''],
  [{ connections: { token: { source: 'kafka' } } }, undefined, ''],
])('refuses a secret that would be in a ConfigMap: %j', (config, at, instead) => {
  const found = chartValuesOf({ config }, sources)?.faults.map(({ text }) => text) ?? [];
  expect(
    found.map((text) => /^config\.(\S+): .* cannot be in a ConfigMap; write (\w+)/.exec(text)?.slice(1)),
  ).toEqual(at === undefined ? [] : [[at, instead]]);
});

const mount = { name: 'a', secretName: 'a' };
it.each([
  [{ admin: { port: 6000 } }, 'service.port, admin.port and ingest.port: must differ'],
  [
    { tls: { enabled: true, existingSecret: 'a', allowedClientNames: ['keda'] } },
    'tls.allowedClientNames: needs tls.clientCaSecret',
  ],
  [{ secretMounts: [mount, { ...mount, mountPath: '/b' }] }, 'secretMounts[1]: another entry has its name'],
  [
    { secretMounts: [mount, { ...mount, name: 'b', mountPath: '/etc/backlog-scaler-a/' }] },
    'secretMounts[1]: another entry has its name or mountPath',
  ],
])('refuses what would be installed and not work: %j', (values, says) => {
  const faults = chartValuesOf({ ...values, config: {} }, sources)?.faults;
  expect(faults).toEqual([{ path: expect.any(Array), text: expect.stringContaining(says) }]);
});

const tls = { enabled: true };
it.each([
  [{}, 'none'],
  [{ enabled: false, clientCaSecret: 'a' }, 'none'],
  [tls, 'server'],
  [{ ...tls, clientCaSecret: 'a' }, 'mutual'],
  [{ ...tls, certManager: { enabled: true } }, 'mutual'],
  [{ ...tls, certManager: { enabled: true, client: { enabled: false } } }, 'server'],
])('knows what TLS the chart sets: %j', (values, expected) => {
  expect(chartValuesOf({ tls: values, config: {} }, sources)?.tls).toBe(expected);
});

const doubtsOf = (values: object): (string | undefined)[] =>
  chartValuesOf(values, sources)?.doubts.map(({ text }) => text) ?? [];

const hub = (settings: object): object => ({ connections: { ci: { source: 'github', ...settings } } });
it.each([
  [hub({}), undefined, undefined],
  [hub({ webhookSecretFile: '/a' }), true, undefined],
  [hub({ webhookSecretFile: '/a' }), undefined, 'config.connections.ci.webhookSecretFile: nothing'],
  [hub({ webhookSecretFiles: ['/a'] }), false, 'config.connections.ci.webhookSecretFiles: nothing'],
  [hub({ webhookSecret: null }), false, undefined],
  [{ connections: topics }, false, 'config.connections.jobs.snsTopics: nothing'],
  [{ ingest: { tokens: [{ name: 'a' }] } }, false, 'config.ingest.tokens: nothing'],
  [{ ingest: { tokens: [] } }, false, undefined],
  [hub({}), true, 'ingest.enabled: nobody may send'],
])('notices senders without a Service, and a Service without: %j, %s', (config, enabled, says) => {
  const doubts = doubtsOf({ config, ...(enabled === undefined ? {} : { ingest: { enabled } }) });
  expect(doubts).toEqual(says === undefined ? [] : [expect.stringContaining(says)]);
});

it.each([
  [['a.example.com'], [{ hosts: ['b.example.com'] }], ['a.example.com']],
  [['a.example.com', 'b.example.com'], [{ hosts: ['b.example.com'] }, { hosts: ['a.example.com'] }], []],
  [['a.example.com'], [{ hosts: ['*.example.com'] }], []],
  [['a.b.example.com'], [{ hosts: ['*.example.com'] }], ['a.b.example.com']],
  [['a.example.com'], [{ secretName: 'a' }], []],
  [['a.example.com'], [], []],
])('notices a host without its certificate: %j %j', (hosts, tls, lacking) => {
  const doubts = doubtsOf({ config: {}, ingest: { ingress: { hosts, tls } } });
  expect(doubts).toEqual(
    lacking.map((host) => expect.stringMatching(`^ingest.ingress.hosts\\[0\\]: "${host}" is in no hosts`)),
  );
});

const tenant = (name: string, namespace: string, folder = name): object => ({
  [name]: {
    source: 'kafka',
    sasl: { passwordFile: `/etc/backlog-scaler-${folder}/password` },
    namespaces: [namespace],
  },
});
const mounts = (...secretNames: readonly string[]): object[] =>
  secretNames.map((secretName, i) => ({ name: ['shop', 'bank'][i], secretName }));
const items = (key: string): object => ({ items: [{ key, path: 'password' }] });

it.each([
  [[tenant('shop', 'shop'), tenant('bank', 'bank')], mounts('a', 'a'), 1],
  [[tenant('shop', 'shop'), tenant('bank', 'bank')], mounts('a', 'b'), 0],
  [[tenant('shop', 'shop'), tenant('bank', 'shop')], mounts('a', 'a'), 0],
  [[tenant('shop', 'shop'), tenant('bank', 'bank', 'shop')], mounts('a'), 0],
  [
    [tenant('shop', 'shop'), tenant('bank', 'bank')],
    mounts('a', 'a').map((one, i) => ({ ...one, ...items(i === 0 ? 'x' : 'y') })),
    0,
  ],
])('notices one Secret for connections of other namespaces: %j %j', (entries, secretMounts, count) => {
  const connections = Object.assign({}, ...entries);
  const text =
    'secretMounts[1]: is Secret a, as secretMounts[0] is, so connections shop and bank, of other namespaces, have one login: give each its own Secret';
  expect(doubtsOf({ config: { connections }, secretMounts })).toEqual(count === 1 ? [text] : []);
});
