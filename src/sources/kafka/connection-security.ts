import type { KafkaConfig } from './config.ts';
import { mskIamToken } from './wire/msk-iam.ts';
import { oauthToken } from './wire/oauth-token.ts';
import type { KafkaSecurity, SaslSecurity } from './wire/security.ts';

type SaslConfig = NonNullable<KafkaConfig['sasl']>;

/** What the connection's settings mean to a dialer. */
export function securityOf({ tls, sasl }: KafkaConfig): KafkaSecurity {
  return { tls: tls ?? false, ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }) };
}

/** SCRAM proves that it knows the password; the others send it, or a token that is as good. */
export function sendsSecretInPlaintext({ tls, sasl }: KafkaConfig): boolean {
  if (sasl === undefined) return false;
  if (sasl.mechanism === 'oauthbearer' && sasl.tokenEndpoint.startsWith('http:')) return true;
  return tls === undefined && !sasl.mechanism.startsWith('scram-');
}

function saslOf(sasl: SaslConfig): SaslSecurity {
  switch (sasl.mechanism) {
    case 'oauthbearer': {
      const { extensions, mechanism, ...client } = sasl;
      return { mechanism, token: oauthToken(client), ...(extensions === undefined ? {} : { extensions }) };
    }
    case 'aws-msk-iam':
      // MSK's IAM is OAUTHBEARER with a signed token.
      return { mechanism: 'oauthbearer', token: mskIamToken(sasl) };
    default:
      return sasl;
  }
}
