import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../../src/errors.ts';
import { fromErrorCode, fromKafka } from '../../../../../src/sources/kafka/upstream/errors.ts';
import { errorCodes } from '../../../../../src/sources/kafka/upstream/protocol/error-codes.ts';

/** An error as Node and kafkajs throw them. */
const thrown = (fields: { message?: string; name?: string; code?: string; type?: string }): Error =>
  Object.assign(new Error(fields.message ?? 'as it happens'), fields);

describe('fromKafka', () => {
  it.each<[string, Error, RegExp]>([
    ['nobody listens', thrown({ code: 'ECONNREFUSED' }), /b1:9092 refuses the connection/],
    [
      'no such host',
      thrown({ code: 'ENOTFOUND' }),
      /host name that does not exist: check `bootstrapServers`/,
    ],
    ['no answer', thrown({ code: 'ETIMEDOUT' }), /its host is gone/],
    ['reset', thrown({ code: 'ECONNRESET' }), /closed the connection: .*`tls` or `sasl`/],
    ['self-signed', thrown({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), /self-signed .*`tls.caFile` must hold/],
    ['unknown authority', thrown({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }), /`tls.caFile` must hold/],
    ['expired', thrown({ code: 'CERT_HAS_EXPIRED' }), /has expired: renew it on the broker/],
    ['another name', thrown({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), /another host name/],
    [
      'no TLS there',
      thrown({ code: 'EPROTO', message: 'SSL routines:wrong version number' }),
      /leave out `tls`/,
    ],
    [
      'handshake broken off',
      thrown({
        code: 'ECONNRESET',
        message: 'Client network socket disconnected before secure TLS connection was established',
      }),
      /broke the TLS handshake off/,
    ],
    [
      'no client certificate',
      thrown({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }),
      /set `tls.certFile` and `tls.keyFile`/,
    ],
    [
      'client certificate refused',
      thrown({ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' }),
      /refuses the one it got/,
    ],
    [
      'client certificate expired',
      thrown({ code: 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED' }),
      /renew `tls.certFile`/,
    ],
    [
      'login',
      thrown({ name: 'KafkaJSSASLAuthenticationError' }),
      /user and password .* of the connection's `sasl`/,
    ],
    ['mechanism', thrown({ type: 'UNSUPPORTED_SASL_MECHANISM' }), /check the connection's `sasl.mechanism`/],
    ['no login wanted', thrown({ type: 'ILLEGAL_SASL_STATE' }), /leave out `sasl`/],
    [
      'accept',
      thrown({ name: 'KafkaJSConnectionError', message: 'Connection timeout' }),
      /does not accept the connection in time/,
    ],
    [
      'closed',
      thrown({ name: 'KafkaJSConnectionClosedError', message: 'Closed connection' }),
      /closed the connection/,
    ],
    ['anything else', thrown({ message: 'something new' }), /b1:9092 failed: something new/],
  ])('says what to do: %s', (_, reason, message) => {
    const error = fromKafka(reason, 'b1:9092');
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(message),
      cause: reason,
    });
  });

  it('keeps our own errors, and accepts values that are not errors', () => {
    const ours = new ScalerError('invalid', 'too long');
    expect(fromKafka(ours, 'b1:9092')).toBe(ours);
    expect(fromKafka('oops', 'b1:9092').message).toBe('broker b1:9092 failed: oops');
  });
});

describe('fromErrorCode', () => {
  it.each<[keyof typeof errorCodes, string, RegExp]>([
    [
      'UNKNOWN_TOPIC_OR_PARTITION',
      'not_found',
      /^topic "a" does not exist on the cluster .*DESCRIBE on the topic/,
    ],
    ['INVALID_TOPIC_EXCEPTION', 'invalid', /^topic "a" has a name that Kafka does not allow/],
    ['INVALID_GROUP_ID', 'invalid', /group name/],
    ['TOPIC_AUTHORIZATION_FAILED', 'unavailable', /grant it DESCRIBE on the topic/],
    ['GROUP_AUTHORIZATION_FAILED', 'unavailable', /grant it DESCRIBE on the group/],
    ['CLUSTER_AUTHORIZATION_FAILED', 'unavailable', /DESCRIBE on the cluster/],
    ['NOT_COORDINATOR', 'unavailable', /^topic "a": Kafka says NOT_COORDINATOR$/],
  ])('%s', (name, code, message) => {
    expect(fromErrorCode(errorCodes[name], 'topic "a"')).toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
