import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../src/errors.ts';
import { sources } from '../../../src/sources/index.ts';
import { hidingFromEnv } from '../../../src/triggers/from-env.ts';
import { resolve } from '../../../src/triggers/resolve.ts';
import { connectionOf, referenceOf } from '../../support/live-triggers.ts';

const [kafka, sqs, github] = ['kafka', 'sqs', 'github'].map((kind) => {
  const found = sources.find((source) => source.kind === kind);
  if (!found) throw new Error(`no source ${kind}`);
  return found;
});
if (!kafka || !sqs || !github) throw new Error('unreachable');

const connections = new Map([
  ['k', connectionOf('k', kafka, { bootstrapServers: ['b:9092'] })],
  ['q', connectionOf('q', sqs, { region: 'eu-central-1' })],
  ['g', connectionOf('g', github, { owner: 'acme', apiUrl: 'https://api.github.com', scope: 'org' })],
]);
const triggers: Record<string, Record<string, string>> = {
  kafka: { source: 'kafka', consumerGroup: 'billing', topic: 'orders' },
  sqs: { source: 'sqs', queueURL: 'orders' },
  github: { source: 'github' },
};
const secrets = [
  ['kafka', ['password', 'key', 'keyPassword', 'awsSecretAccessKey', 'awsSessionToken', 'tlsClientKey']],
  ['sqs', ['awsSecretAccessKey', 'awsSessionToken', 'tlsClientKey']],
  ['github', ['personalAccessToken', 'appKey', 'tlsClientKey']],
] as const;

function outcomeOf(metadata: Record<string, string>, refuseSecretsFromEnv = true): string {
  const world = { sources, connections, maxStalenessSeconds: 60, refuseSecretsFromEnv };
  try {
    return resolve(referenceOf(metadata), world).source.kind;
  } catch (reason) {
    if (reason instanceof ScalerError) return `${reason.code}: ${reason.message}`;
    throw reason;
  }
}

describe.each(secrets)('secrets from the environment: %s', (kind, keys) => {
  it.each(keys)('%sFromEnv is refused if gRPC is in plaintext', (key) => {
    const metadata = { ...triggers[kind], [`${key}FromEnv`]: 'hunter2' };
    const outcome = outcomeOf(metadata);
    expect(outcome).toMatch(new RegExp(`^invalid: .*${key}FromEnv: is a secret.*grpc\\.tls`));
    expect(outcome).not.toContain('hunter2');
    expect(outcomeOf(metadata, false)).toBe(kind);
  });

  it('are exactly the secret ones of its connection keys', () => {
    const { connectionKeys = {} } = sources.find((source) => source.kind === kind) ?? {};
    const marked = Object.keys(connectionKeys).filter((key) => connectionKeys[key]?.secret);
    expect([...marked, 'tlsClientKey'].sort()).toEqual([...keys].sort());
  });
});

describe('secrets from the environment', () => {
  it('are refused even if the plain key is given and wins', () => {
    const metadata = { ...triggers['kafka'], password: 'x', passwordFromEnv: 'hunter2' };
    expect(outcomeOf(metadata)).toMatch(/^invalid: .*passwordFromEnv/);
  });

  it('are all named at once, with the other faults', () => {
    const metadata = { ...triggers['kafka'], passwordFromEnv: 'a', keyFromEnv: 'b', lagThreshold: '-1' };
    const outcome = outcomeOf(metadata);
    for (const key of ['lagThreshold: ', 'passwordFromEnv: ', 'keyFromEnv: ']) expect(outcome).toContain(key);
  });

  it('do not count if they are empty, plain, or not secret', () => {
    const harmless = { passwordFromEnv: ' ', password: 'in the ScaledObject', usernameFromEnv: 'u' };
    expect(outcomeOf({ ...triggers['kafka'], ...harmless })).toBe('kafka');
  });
});

describe('a value from the environment is not shown', () => {
  const kafka = { consumerGroup: 'billing', topic: 'orders' };
  it.each<[string, Record<string, string>]>([
    ['as a source', { sourceFromEnv: 'hunter2' }],
    ['as a connection', { ...kafka, source: 'kafka', connectionFromEnv: 'hunter2' }],
    ['as a connection of another source', { ...kafka, source: 'kafka', connectionFromEnv: 'q' }],
    ['as an address', { ...kafka, source: 'kafka', bootstrapServersFromEnv: 'hunter2:9092' }],
    ['as a long address', { ...kafka, source: 'kafka', bootstrapServersFromEnv: `hunter2${'x'.repeat(99)}` }],
    ['as a list', { source: 'github', reposFromEnv: 'acme/web,hunter2/x' }],
    ['as a URL', { source: 'sqs', connection: 'q', queueURLFromEnv: 'https://hunter2/1/orders' }],
  ])('%s', (_, metadata) => {
    const outcome = outcomeOf(metadata);
    expect(outcome).toMatch(/^invalid: .*\(a value from the environment\)/);
    expect(outcome).not.toMatch(/hunter2|"q"/);
  });

  it('while a value in the manifest is', () => {
    expect(outcomeOf({ source: 'sqs', connection: 'nowhere', queueURL: 'orders' })).toContain('"nowhere"');
  });

  it('even if quotes in a message do not match', () => {
    const given = [{ key: 'aFromEnv', value: 'one' }];
    expect(hidingFromEnv(given)('a "one" and "\n" and "')).toBe(
      'a (a value from the environment) and "\n" and "',
    );
  });
});

describe("a metric's name", () => {
  const nameOf = (metadata: Record<string, string>): string =>
    resolve(referenceOf(metadata), {
      sources,
      connections,
      maxStalenessSeconds: 60,
      refuseSecretsFromEnv: true,
    }).metricName;

  it.each([
    ['a group', { ...triggers['kafka'], consumerGroup: '', consumerGroupFromEnv: 'hunter2' }],
    ['a topic of several', { ...triggers['kafka'], topic: '', topicFromEnv: 'orders,Hunter2' }],
    [
      'a queue of a URL',
      { source: 'sqs', connection: 'q', queueURLFromEnv: 'https://sqs.eu-central-1.amazonaws.com/1/Hunter2' },
    ],
  ])('has a hash for a value from the environment: %s', (_, metadata) => {
    const name = nameOf(metadata);
    expect(name).toMatch(/-env-[0-9a-f]{8}/);
    expect(name).not.toMatch(/hunter2/i);
    // The same in every pod, and another one for another value.
    expect(nameOf(metadata)).toBe(name);
    const other = JSON.parse(JSON.stringify(metadata).replace(/hunter2/i, 'hunter3'));
    expect(nameOf(other)).not.toBe(name);
  });

  it('has everything else unchanged', () => {
    const metadata = { ...triggers['kafka'], topic: '', topicFromEnv: 'a' };
    expect(nameOf(metadata)).toMatch(/^kafka-billing-env-/);
    expect(nameOf({ ...metadata, topic: 'orders', lagThresholdFromEnv: '1' })).toBe('kafka-billing-orders');
  });
});
