import { ScalerError } from '../../../errors.ts';
import { networkFaults } from '../../../outbound/network-faults.ts';
import { errorCodes, errorName } from './protocol/error-codes.ts';

/**
 * What kafkajs, Node's sockets or its TLS said about a broker, in our words. Total.
 * @param broker `host:port`, for the message
 */
export function fromKafka(reason: unknown, broker: string): ScalerError {
  if (reason instanceof ScalerError) return reason;
  const { name, code, type, message } = facts(reason);
  const say = (text: string) => new ScalerError('unavailable', `broker ${broker} ${text}`, { cause: reason });

  if (type === 'UNSUPPORTED_SASL_MECHANISM' || /mechanism is not supported/.test(message)) {
    return say("does not take this SASL mechanism: check the connection's `sasl.mechanism`");
  }
  if (isRefusedLogin(reason)) {
    return say(`refuses the login: check the user and password (or token) of the connection's \`sasl\``);
  }
  if (type === 'ILLEGAL_SASL_STATE') {
    return say('wants no SASL login on this listener: check its port, or leave out `sasl`');
  }
  const tls = tlsFault(code, message);
  if (tls !== undefined) return say(tls);
  const network = faults[code];
  if (network !== undefined) return say(network);
  if (name === 'KafkaJSConnectionClosedError' || name === 'KafkaJSConnectionError') {
    if (/timeout/i.test(message)) return say('does not accept the connection in time');
    if (/closed/i.test(message)) return say(closedByBroker);
  }
  return say(`failed: ${message}`);
}

/** Whether a broker does not accept the password or token. Of any error. */
export function isRefusedLogin(reason: unknown): boolean {
  const { name, type } = facts(reason);
  return name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED';
}

/** A broker silently drops a client that speaks TLS to a plain listener, or does not log in where it must. */
export const closedByBroker =
  'closed the connection: if it always does, check whether this listener wants `tls` or `sasl`';

const faults: Readonly<Record<string, string>> = {
  ...networkFaults,
  ENOTFOUND: `${networkFaults.ENOTFOUND}: check \`bootstrapServers\` and the advertised listeners`,
  ECONNRESET: closedByBroker,
  EPIPE: closedByBroker,
};

interface Facts {
  name: string;
  code: string;
  /** kafkajs's name of a protocol error. */
  type: string;
  message: string;
}

function facts(reason: unknown): Facts {
  if (!(reason instanceof Error)) return { name: '', code: '', type: '', message: String(reason) };
  const code = 'code' in reason && typeof reason.code === 'string' ? reason.code : '';
  const type = 'type' in reason && typeof reason.type === 'string' ? reason.type : '';
  return { name: reason.name, code, type, message: reason.message };
}

/**
 * A protocol error code, in our words.
 * @param what the topic, partition or group it is about, such as `topic "orders"`
 */
export function fromErrorCode(code: number, what: string): ScalerError {
  switch (code) {
    case errorCodes.UNKNOWN_TOPIC_OR_PARTITION:
      return new ScalerError(
        'not_found',
        `${what} does not exist on the cluster (or the connection's user may not see it: grant it DESCRIBE on the topic)`,
      );
    case errorCodes.INVALID_TOPIC_EXCEPTION:
      return new ScalerError('invalid', `${what} has a name that Kafka does not allow`);
    case errorCodes.INVALID_GROUP_ID:
      return new ScalerError('invalid', `${what} has a group name that Kafka does not allow`);
    case errorCodes.TOPIC_AUTHORIZATION_FAILED:
      return refused(
        `${what} is refused to the connection's user: grant it DESCRIBE on the topic (READ for wakes within ms)`,
      );
    case errorCodes.GROUP_AUTHORIZATION_FAILED:
      return refused(`${what} is refused to the connection's user: grant it DESCRIBE on the group`);
    case errorCodes.CLUSTER_AUTHORIZATION_FAILED:
      return refused(`${what} is refused to the connection's user: grant it DESCRIBE on the cluster`);
    default:
      return new ScalerError('unavailable', `${what}: Kafka says ${errorName(code)}`);
  }
}

function refused(message: string): ScalerError {
  return new ScalerError('unavailable', message);
}

const untrusted =
  'shows a TLS certificate of an unknown authority: `tls.caFile` must hold the PEM of the authority that signed it';
const wantsCertificate =
  'wants a client certificate (mTLS): set `tls.certFile` and `tls.keyFile`, signed by an authority it trusts';

/** Node's codes of a certificate that fails (https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes). */
const certificateFaults: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `shows a self-signed TLS certificate: \`tls.caFile\` must hold it`,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_HAS_EXPIRED:
    'shows a TLS certificate that has expired: renew it on the broker (or the authority that signed it)',
  CERT_NOT_YET_VALID:
    'shows a TLS certificate that is not valid yet: check the clocks of the broker and of the scaler',
  INVALID_PURPOSE: 'shows a TLS certificate that is not made for servers (its extended key usage)',
  CERT_REVOKED: 'shows a TLS certificate that was revoked',
};

/** OpenSSL's reasons; Node gives them as codes or, with the code EPROTO, only in the message. */
const handshakeFaults: readonly [RegExp, string][] = [
  [
    /wrong.version.number|packet.length.too.long|unknown.protocol/i,
    'does not speak TLS on this listener: check its port, or leave out `tls`',
  ],
  [/certificate.required|handshake.failure/i, wantsCertificate],
  [
    /bad.certificate|unknown.ca|certificate.unknown/i,
    // Java says `bad_certificate` also where it was shown none.
    'wants a client certificate (mTLS) and refuses the one it got: set `tls.certFile` and `tls.keyFile` to one signed by an authority it trusts',
  ],
  [/certificate.expired/i, 'says that the client certificate has expired: renew `tls.certFile`'],
  [
    /before secure TLS connection was established/i,
    'broke the TLS handshake off: check whether this listener speaks TLS',
  ],
  [
    /no start line|(PEM|DECODER|asn1).*routines|key values mismatch/i,
    'cannot be asked: `tls` holds a PEM that cannot be read, or a key of another certificate',
  ],
];

/** The TLS fault and what to set, as the end of a sentence about a broker. Undefined for other faults. */
export function tlsFault(code: string, message: string): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return "shows a TLS certificate for another host name: connect by a name that is in it, or set the broker's advertised listeners to one";
  }
  const certificate = certificateFaults[code];
  if (certificate !== undefined) return certificate;
  const text = `${code} ${message}`;
  return handshakeFaults.find(([pattern]) => pattern.test(text))?.[1];
}
