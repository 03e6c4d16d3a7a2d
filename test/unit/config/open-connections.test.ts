import { expect, it } from 'vitest';
import { openConnections, openPort } from '../../../src/config/open-connections.ts';
import { sources } from '../../../src/sources/index.ts';

const namespaces = ['shop'];
const kafka = { source: 'kafka', bootstrapServers: ['a:9092', 'b:9092'] };
const sqs = { source: 'sqs', region: 'eu-central-1' };
const github = { source: 'github', owner: 'acme' };
const nats = { source: 'nats', servers: ['nats://a:4222', 'nats://b:4222'] };
const role = (account: number) => ({ roleArn: `arn:aws:iam::${String(account).repeat(12)}:role/a` });

it.each([
  ['a broker in common', kafka, { ...kafka, bootstrapServers: ['B:9092'] }, true],
  ['other brokers', kafka, { ...kafka, bootstrapServers: ['c:9092'] }, false],
  ['one account', { ...sqs, ...role(1) }, { ...sqs, ...role(1) }, true],
  ['other accounts', { ...sqs, ...role(1) }, { ...sqs, ...role(2) }, false],
  ['other regions', sqs, { ...sqs, region: 'eu-west-1' }, false],
  ['one owner', github, { ...github, owner: 'Acme' }, true],
  ['other owners', github, { ...github, owner: 'other' }, false],
  ['GitHub itself, and a server', github, { ...github, apiUrl: 'https://ghes.test/api/v3' }, false],
  ['a server in common', nats, { ...nats, servers: ['nats://B:4222/'] }, true],
  ['another user', { ...nats, username: 'u', password: 'p' }, { ...nats, username: 'v' }, true],
  ['secrets that are not here', { ...github, app: { privateKey: 'unread' } }, github, true],
  ['regions that are not here', { ...sqs, region: '' }, { ...sqs, region: '' }, false],
  ['other sources', kafka, { ...nats, servers: ['a:9092'] }, false],
  ['no address', { source: 'events' }, { source: 'events' }, false],
])('notices a connection without namespaces beside another: %s', (_, open, closed, noticed) => {
  const at = (connections: unknown) =>
    openConnections(connections, sources).map(({ path }) => path.join('.'));
  const both = { open, closed: { ...closed, namespaces } };
  expect(at(both)).toEqual(noticed ? ['connections.open'] : []);
  expect(at({ ...both, open: { ...open, namespaces: ['*'] } })).toEqual([]);
  expect(at({ open, closed: { ...closed, namespaces: ['*'] } })).toEqual([]);
  expect(at({ open, closed })).toEqual([]);
});

it.each([
  ['the same file', 'a', ['bank'], true],
  ['a file of its own', 'b', ['bank'], false],
  ['a namespace in common', 'a', ['bank', 'shop'], false],
  ['all namespaces', 'a', ['*'], false],
])('notices a login that two tenants share: %s', (_, password, others, noticed) => {
  const sasl = { mechanism: 'plain', username: 'u', passwordFile: '/a/password' };
  const tls = { caFile: '/a/ca.crt' };
  const connections = {
    first: { ...kafka, namespaces, sasl, tls },
    second: { ...kafka, namespaces: others, sasl: { ...sasl, passwordFile: `/${password}/password` }, tls },
  };
  const texts = openConnections(connections, sources).map(({ text }) => text);
  const text = 'connections.second: logs in with a file of connection first';
  expect(texts).toEqual(noticed ? [expect.stringContaining(text)] : []);
});

it.each([
  [{ clientCaFile: 'ca.crt' }, 1],
  [{ clientCaFile: 'ca.crt', allowedClientNames: ['keda'] }, 0],
  [{}, 0],
])('notices that any certificate of an authority may call: %j', (tls, count) => {
  const text = expect.stringMatching(
    /^grpc\.tls\.clientCaFile: every .* may call: .* grpc\.tls\.allowedClientNames/,
  );
  const found = [...openPort({ grpc: { tls } })].map((one) => one.text);
  expect(found).toEqual(Array(count).fill(text));
});
