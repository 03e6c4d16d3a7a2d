import { splitList } from '../../params/schema.ts';
import { credential, ignored, secret } from '../ignored-keys.ts';
import type { ConnectionKey } from '../source.ts';
import type { KafkaConfig } from './config.ts';
import { normaliseServer } from './config.ts';

/** KEDA's spelling of each mechanism (kafka_scaler.go and apache_kafka_scaler.go, v2.21). */
const kedaSasl: Readonly<Record<string, string>> = {
  plain: 'plaintext',
  'scram-sha-256': 'scram_sha256',
  'scram-sha-512': 'scram_sha512',
  oauthbearer: 'oauthbearer',
  'aws-msk-iam': 'aws_msk_iam',
};

function agreesOnServers({ bootstrapServers }: KafkaConfig, value: string): boolean {
  const given = serversOf(value);
  return bootstrapServers.some((server) => given.has(server));
}

let last: { readonly value: string; readonly servers: ReadonlySet<string> } | undefined;

/** Of the last value only: it is compared with one connection after the other. */
function serversOf(value: string): ReadonlySet<string> {
  if (last?.value !== value) {
    const servers = splitList(value).map((text) => normaliseServer(text) ?? '');
    last = { value, servers: new Set(servers) };
  }
  return last.servers;
}

/** The `kafka` scaler spells MSK IAM as `oauthbearer` with `saslTokenProvider: aws_msk_iam`; `apache-kafka` as itself. */
function agreesOnSasl({ sasl }: KafkaConfig, value: string): boolean {
  const mechanism = sasl?.mechanism;
  if (mechanism === undefined) return value === 'none';
  return value === kedaSasl[mechanism] || (mechanism === 'aws-msk-iam' && value === 'oauthbearer');
}

function agreesOnTokenProvider({ sasl }: KafkaConfig, value: string): boolean {
  if (sasl?.mechanism === 'aws-msk-iam') return value === 'aws_msk_iam';
  // KEDA's default; it only means something with oauthbearer.
  return value === 'bearer';
}

function agreesOnRegion({ sasl }: KafkaConfig, value: string): boolean {
  return sasl?.mechanism !== 'aws-msk-iam' || sasl.region === value;
}

/** The keys of KEDA's `kafka` and `apache-kafka` triggers that belong to the connection. */
export const kafkaConnectionKeys: Readonly<Record<string, ConnectionKey<KafkaConfig>>> = {
  bootstrapServers: {
    doc: 'Picks the connection that has at least one of these host:port.',
    selects: true,
    most: 8_192,
    agrees: agreesOnServers,
  },
  sasl: {
    doc: "Must be the connection's mechanism, in KEDA's spelling.",
    selects: false,
    agrees: agreesOnSasl,
  },
  tls: {
    doc: 'enable or disable; must be what the connection has.',
    selects: false,
    agrees: (config, value) => value === (config.tls === undefined ? 'disable' : 'enable'),
  },
  saslTokenProvider: {
    doc: 'Must fit the mechanism of the connection.',
    selects: false,
    agrees: agreesOnTokenProvider,
  },
  awsRegion: {
    doc: "Must be the connection's region, where it has one.",
    selects: false,
    agrees: agreesOnRegion,
  },
  version: ignored('Versions are agreed with each broker; ignored.'),
  fullMetadata: ignored('Only the topics in use are ever asked for; ignored.'),
  unsafeSsl: ignored('Whether certificates are checked belongs to the connection; ignored.'),
  username: credential,
  password: secret,
  ca: credential,
  cert: credential,
  key: secret,
  keyPassword: secret,
  scopes: credential,
  oauthTokenEndpointUri: credential,
  oauthExtensions: credential,
  awsRoleArn: credential,
  awsAccessKeyID: credential,
  awsSecretAccessKey: secret,
  awsSessionToken: secret,
};
