import type { Progress } from './distribution.ts';

/** PEM files for the TLS listeners, which are advertised as `localhost`. */
export interface BrokerTls {
  /** The broker's key (PKCS #8) and then its certificate. */
  readonly serverBundleFile: string;
  /** The CA for certificates of clients. */
  readonly caFile: string;
  readonly clientAuth?: 'none' | 'requested' | 'required';
}

export interface KafkaOptions {
  /** Nodes that are broker and controller. Kafka's internal topics are replicated over all. Default 1. */
  readonly brokers?: 1 | 3;
  readonly heapMiB?: number;
  /** Passwords by name, for SASL PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly users?: Readonly<Record<string, string>>;
  readonly tls?: BrokerTls;
  /** Accepts unsigned tokens (`alg: none`) on the SASL listeners, with Kafka's own validator for development. */
  readonly oauthBearer?: boolean;
  /** Allows only what ACLs permit. The plaintext listener and the user `admin` stay all-powerful. */
  readonly acls?: boolean;
  /** `connections.max.reauth.ms`: how often SASL clients must authenticate again. */
  readonly maxReauthMs?: number;
  /** More lines for every broker's server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Runs the brokers with request counters (`stats()`). Needs a JDK. */
  readonly stats?: boolean;
  readonly progress?: Progress;
}
