import type { Progress } from './distribution.ts';

/** PEM files for the TLS listeners, which are advertised as `localhost`. */
export interface BrokerTls {
  /** The broker's key (PKCS #8) and certificate, one after the other. */
  readonly serverBundleFile: string;
  /** Whom the broker believes when a client shows a certificate. */
  readonly caFile: string;
  readonly clientAuth?: 'none' | 'requested' | 'required';
}

export interface KafkaOptions {
  /** Combined broker and controller nodes; topics of the broker's own are replicated over all. Default 1. */
  readonly brokers?: 1 | 3;
  readonly heapMiB?: number;
  /** Names and passwords, good for SASL PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly users?: Readonly<Record<string, string>>;
  readonly tls?: BrokerTls;
  /** Accepts unsigned tokens (`alg: none`) on the SASL listeners: Kafka's own validator for development. */
  readonly oauthBearer?: boolean;
  /** Only what ACLs allow; the plaintext listener and the user `admin` stay all-powerful. */
  readonly acls?: boolean;
  /** `connections.max.reauth.ms`: SASL clients must re-authenticate within this. */
  readonly maxReauthMs?: number;
  /** Further lines for every broker's server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Runs the brokers with request counters (`stats()`); needs a JDK. */
  readonly stats?: boolean;
  readonly progress?: Progress;
}
