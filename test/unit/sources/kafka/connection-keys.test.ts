import { describe, expect, it } from 'vitest';
import { kafkaConfig, kafkaConnectionKeys } from '../../../../src/sources/kafka/config.ts';

const bootstrapServers = ['a:9092', 'b:9092'];
const user = { username: 'u', password: 'p' };
const none = {};
const tls = { tls: true };
const plain = { sasl: { mechanism: 'plain', ...user } };
const scram = { sasl: { mechanism: 'scram-sha-512', ...user } };
const iam = { tls: true, sasl: { mechanism: 'aws-msk-iam', region: 'eu-central-1' } };

describe('a key of KEDA’s that belongs to the connection', () => {
  it.each([
    ['bootstrapServers', 'a:9092', none, true],
    ['bootstrapServers', 'x:1, B:9092', none, true],
    ['bootstrapServers', 'a:9093', none, false],
    ['bootstrapServers', 'nonsense', none, false],
    ['sasl', 'none', none, true],
    ['sasl', 'plaintext', none, false],
    ['sasl', 'plaintext', plain, true],
    ['sasl', 'none', plain, false],
    ['sasl', 'scram_sha512', scram, true],
    ['sasl', 'scram_sha256', scram, false],
    ['sasl', 'gssapi', scram, false],
    ['sasl', 'aws_msk_iam', iam, true],
    ['sasl', 'oauthbearer', iam, true],
    ['saslTokenProvider', 'aws_msk_iam', iam, true],
    ['saslTokenProvider', 'bearer', iam, false],
    ['saslTokenProvider', 'aws_msk_iam', plain, false],
    ['tls', 'enable', tls, true],
    ['tls', 'disable', tls, false],
    ['tls', 'disable', none, true],
    ['awsRegion', 'eu-central-1', iam, true],
    ['awsRegion', 'us-east-1', iam, false],
    ['awsRegion', 'us-east-1', plain, true],
  ])('%s: %s, where the connection has %j, agrees: %s', (key, value, entry, agrees) => {
    const config = kafkaConfig.parse({ bootstrapServers, ...entry });
    expect(kafkaConnectionKeys[key]?.agrees?.(config, value)).toBe(agrees);
  });

  it.each([
    ['sasl', none, 'none'],
    ['sasl', plain, 'plaintext'],
    ['sasl', scram, 'scram_sha512'],
    ['sasl', iam, 'aws_msk_iam'],
    ['saslTokenProvider', iam, 'aws_msk_iam'],
    ['saslTokenProvider', plain, 'bearer'],
    ['tls', tls, 'enable'],
    ['tls', none, 'disable'],
  ])('%s: where the connection has %j, the error expects %s, which agrees', (key, entry, expected) => {
    const config = kafkaConfig.parse({ bootstrapServers, ...entry });
    expect(kafkaConnectionKeys[key]?.expected?.(config)).toBe(expected);
    expect(kafkaConnectionKeys[key]?.agrees?.(config, expected)).toBe(true);
  });

  it('picks a connection by bootstrapServers alone', () => {
    const selecting = Object.entries(kafkaConnectionKeys).filter(([, { selects }]) => selects);
    expect(selecting.map(([key]) => key)).toEqual(['bootstrapServers']);
  });

  it.each(['version', 'fullMetadata', 'unsafeSsl', 'username', 'password', 'keyPassword', 'oauthExtensions'])(
    '%s is accepted and ignored',
    (key) => {
      expect(kafkaConnectionKeys[key]).toMatchObject({ selects: false });
      expect(kafkaConnectionKeys[key]?.agrees).toBeUndefined();
    },
  );
});
