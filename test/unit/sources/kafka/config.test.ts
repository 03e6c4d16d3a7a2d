import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { kafkaConfig } from '../../../../src/sources/kafka/config.ts';
import { securityOf, sendsSecretInPlaintext } from '../../../../src/sources/kafka/upstream/wire/security.ts';
import { type Certificates, encryptedKey, makeCertificates } from '../../../support/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'backlog-scaler-pem-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const pem = (path: string) => readFileSync(path, 'utf8');

function certificates(name: string): Certificates {
  const path = join(directory, name);
  mkdirSync(path);
  return makeCertificates(path);
}

const [ours, theirs] = [certificates('ours'), certificates('theirs')];
const [ca, cert, key] = [pem(ours.ca), pem(ours.client.cert), pem(ours.client.key)];
const passphrase = 'open sesame';
const encrypted = encryptedKey(ours.client, passphrase);

const servers = { bootstrapServers: ['Kafka-0.Kafka:09092 ', '[::1]:9093'] };
const oauth = {
  mechanism: 'oauthbearer',
  tokenEndpoint: 'https://login.example/token',
  clientId: 'scaler',
  clientSecret: 's3cret',
};

/** The place of each fault, and its message. */
function faults(entry: object): string[] {
  const { error } = kafkaConfig.safeParse({ ...servers, ...entry });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a kafka connection', () => {
  it('needs only servers, which are normalized', () => {
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
    [{ tls: { ca: 'x' } }, 'tls.ca'],
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

  it.each([
    ['gssapi', ''],
    ['plaintext', " (KEDA's plaintext is plain)"],
    ['scram_sha512', " (KEDA's scram_sha512 is scram-sha-512)"],
    ['SCRAM-SHA-256', ' (did you mean "scram-sha-256"?)'],
  ])('names the known mechanisms for %s', (mechanism, meant) => {
    expect(faults({ sasl: { mechanism } })).toEqual([
      `sasl.mechanism: must be one of plain, scram-sha-256, scram-sha-512, oauthbearer, aws-msk-iam${meant}`,
    ]);
  });
});

describe('PEM files', () => {
  const other = pem(theirs.client.key);
  const broken = cert.replace(/\n.{20}/, '\n!!!!!!!!!!!!!!!!!!!!');

  it.each<[string, object, string[]]>([
    ['all in order', { ca, cert, key }, []],
    ['several authorities in one file, with words between them', { ca: `Ours:\n${ca}\nTheirs:\n${ca}` }, []],
    ['an encrypted key with its passphrase', { cert, key: encrypted, keyPassword: passphrase }, []],
    ['a key without a certificate', { key }, ['tls: certFile and keyFile must be given together']],
    [
      'a file that is something else',
      { ca: 'kafka: yes' },
      ['tls.ca: must be PEM of certificates (-----BEGIN CERTIFICATE-----)'],
    ],
    [
      'a key where an authority belongs',
      { ca: key },
      ['tls.ca: must be PEM of certificates (-----BEGIN CERTIFICATE-----)'],
    ],
    [
      'one bad authority of two',
      { ca: ca + broken },
      ['tls.ca: must be PEM of certificates (-----BEGIN CERTIFICATE-----)'],
    ],
    [
      'a certificate that is cut',
      { cert: cert.slice(0, 300), key },
      ['tls.cert: must be PEM of certificates (-----BEGIN CERTIFICATE-----)'],
    ],
    [
      'a certificate where the key belongs',
      { cert, key: cert },
      ['tls.key: must be PEM of a private key (-----BEGIN PRIVATE KEY-----)'],
    ],
    [
      'a key that is cut',
      { cert, key: `${key.slice(0, key.length / 2)}\n-----END PRIVATE KEY-----\n` },
      ['tls.key: is PEM of a private key that cannot be read'],
    ],
    [
      'a key of another certificate',
      { cert, key: other },
      ['tls.key: is not the key of the certificate in certFile'],
    ],
    [
      'an encrypted key without its passphrase',
      { cert, key: encrypted },
      ['tls.key: is encrypted: give keyPassword or keyPasswordFile as well'],
    ],
    [
      'an encrypted key with another passphrase',
      { cert, key: encrypted, keyPassword: 'close sesame' },
      ['tls.key: cannot be decrypted with keyPassword'],
    ],
    ['a passphrase of nothing', { keyPassword: passphrase }, ['tls.keyPassword: needs keyFile']],
  ])('%s', (_, tls, expected) => {
    expect(faults({ tls })).toEqual(expected);
  });
});

describe('the settings of a dialer', () => {
  const security = (entry: object) => securityOf(kafkaConfig.parse({ ...servers, ...entry }));

  it('is no TLS and no login by default', () => {
    expect(security({})).toEqual({ tls: false });
    expect(security({ tls: false })).toEqual({ tls: false });
  });

  it('have TLS with defaults for true', () => {
    expect(security({ tls: true })).toEqual({ tls: { insecureSkipVerify: false } });
  });

  it('have the certificate and the user unchanged', () => {
    const tls = { ca, cert, key };
    const sasl = { mechanism: 'scram-sha-512', username: 'u', password: 'p' };
    expect(security({ tls, sasl })).toEqual({ tls: { ...tls, insecureSkipVerify: false }, sasl });
  });

  it('have OAUTHBEARER with tokens for oauthbearer and aws-msk-iam', () => {
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
