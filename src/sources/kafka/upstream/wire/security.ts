import type { KafkaConfig } from '../../config.ts';
import { mskIamToken, oauthToken } from './tokens.ts';

/** How a wire is encrypted. `false` means plaintext. Texts are PEM. */
export type TlsSecurity =
  | false
  | {
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
      /** Of an encrypted key. */
      readonly keyPassword?: string;
      /** Takes any certificate. */
      readonly insecureSkipVerify?: boolean;
    };

/** A current bearer token. Rejects with ScalerError. Called at each login, so it caches. */
export interface TokenProvider {
  (): Promise<string>;
  /** A broker has refused the token: its issuer may have ended it early, or changed its keys. */
  refused?(token: string): void;
}

export type SaslSecurity =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'oauthbearer';
      readonly token: TokenProvider;
      /** SASL extensions sent beside the token (KIP-342). */
      readonly extensions?: Readonly<Record<string, string>>;
    };

/** What a dialer needs to be let in: the resolved `tls` and `sasl` of a connection. Holds secrets: never logged. */
export interface KafkaSecurity {
  readonly tls: TlsSecurity;
  /** Absent: no login. */
  readonly sasl?: SaslSecurity;
}

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
