import { describe, expect, it } from 'vitest';
import { kafkaConfig } from '../../../../src/sources/kafka/config.ts';
import { securityOf, sendsSecretInPlaintext } from '../../../../src/sources/kafka/upstream/wire/security.ts';

const servers = { bootstrapServers: ['Kafka-0.Kafka:09092 ', '[::1]:9093'] };
const oauth = {
  mechanism: 'oauthbearer',
  tokenEndpoint: 'https://login.example/token',
  clientId: 'scaler',
  clientSecret: 's3cret',
};

/** Where each fault is, and what it says. */
function faults(entry: object): string[] {
  const { error } = kafkaConfig.safeParse({ ...servers, ...entry });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a kafka connection', () => {
  it('needs only servers, which are normalised', () => {
    expect(kafkaConfig.parse(servers)).toEqual({
      bootstrapServers: ['kafka-0.kafka:9092', '[::1]:9093'],
      activeReadMs: 1000,
      reconcileSeconds: 30,
      connectTimeoutMs: 5000,
      requestTimeoutMs: 10_000,
      watchMaxWaitMs: 10_000,
      watchPartitionsPerSession: 1000,
    });
  });

  it.each([['kafka'], ['kafka:0'], ['kafka:65536'], [':9092'], ['http://kafka:9092'], ['a b:1'], ['']])(
    'refuses %j as a server',
    (server) => {
      expect(faults({ bootstrapServers: [server] })).toEqual([
        'bootstrapServers.0: must be host:port, such as kafka-0.kafka:9092',
      ]);
    },
  );

  it.each([
    [{ bootstrapServers: [] }, 'bootstrapServers'],
    [{ activeReadMs: 99 }, 'activeReadMs'],
    [{ reconcileSeconds: 0 }, 'reconcileSeconds'],
    [{ watchPartitionsPerSession: 1.5 }, 'watchPartitionsPerSession'],
    [{ brokers: ['a:1'] }, ''],
    [{ tls: { cafile: 'x' } }, 'tls'],
    [{ tls: { cert: 'x' } }, 'tls'],
    [{ sasl: { mechanism: 'gssapi' } }, 'sasl.mechanism'],
    [{ sasl: { mechanism: 'plain', username: 'u' } }, 'sasl.password'],
    [{ sasl: { mechanism: 'plain', username: 'u', password: 'p', region: 'x' } }, 'sasl'],
    [{ sasl: { ...oauth, tokenEndpoint: 'file:///etc/passwd' } }, 'sasl.tokenEndpoint'],
    [{ sasl: { mechanism: 'aws-msk-iam' } }, 'sasl.region'],
  ])('refuses %j at %s', (entry, path) => {
    const found = faults(entry);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(`${path}: `)).toBe(true);
  });

  it('names the mechanisms there are', () => {
    expect(faults({ sasl: { mechanism: 'gssapi' } })).toEqual([
      'sasl.mechanism: must be one of plain, scram-sha-256, scram-sha-512, oauthbearer, aws-msk-iam',
    ]);
  });
});

describe('what a dialer is given', () => {
  const security = (entry: object) => securityOf(kafkaConfig.parse({ ...servers, ...entry }));

  it('is no TLS and no login by default', () => {
    expect(security({})).toEqual({ tls: false });
    expect(security({ tls: false })).toEqual({ tls: false });
  });

  it('is TLS with nothing special for true', () => {
    expect(security({ tls: true })).toEqual({ tls: { insecureSkipVerify: false } });
  });

  it('is the certificate and the user as they are', () => {
    const tls = { ca: 'CA', cert: 'CERT', key: 'KEY' };
    const sasl = { mechanism: 'scram-sha-512', username: 'u', password: 'p' };
    expect(security({ tls, sasl })).toEqual({ tls: { ...tls, insecureSkipVerify: false }, sasl });
  });

  it('is OAUTHBEARER with tokens for oauthbearer and aws-msk-iam', () => {
    const token = expect.any(Function);
    const extensions = { logicalCluster: 'lkc-1' };
    expect(security({ sasl: { ...oauth, extensions } }).sasl).toEqual({
      mechanism: 'oauthbearer',
      token,
      extensions,
    });
    const iam = { mechanism: 'aws-msk-iam', region: 'eu-central-1' };
    expect(security({ sasl: iam }).sasl).toEqual({ mechanism: 'oauthbearer', token });
  });
});

describe('a secret without TLS', () => {
  const user = { username: 'u', password: 'p' };
  it.each([
    [{}, false],
    [{ sasl: { mechanism: 'plain', ...user } }, true],
    [{ tls: true, sasl: { mechanism: 'plain', ...user } }, false],
    [{ sasl: { mechanism: 'scram-sha-256', ...user } }, false],
    [{ sasl: oauth }, true],
    [{ tls: true, sasl: oauth }, false],
    [{ tls: true, sasl: { ...oauth, tokenEndpoint: 'http://login.example/token' } }, true],
    [{ sasl: { mechanism: 'aws-msk-iam', region: 'x' } }, true],
  ])('%j: sent %s', (entry, sent) => {
    expect(sendsSecretInPlaintext(kafkaConfig.parse({ ...servers, ...entry }))).toBe(sent);
  });
});
