import { z } from 'zod';
import { longestTimerMs } from '../../clock.ts';
import { tlsSettings } from '../../outbound/tls.ts';
import { splitList } from '../../params/schema.ts';
import { didYouMean } from '../../params/suggest.ts';
import { withoutFinalDot } from '../../server-name.ts';
import { ignored, secret } from '../ignored-keys.ts';
import type { ConnectionKey } from '../source.ts';
import { formatAddress, parseAddress } from './upstream/protocol/address.ts';

/*
 * A Kafka connection of the configuration file, after the loader has read its files. For `passwordFile` this schema sees
 * `password` with the file's content. The same holds for `caFile`, `certFile`, `keyFile` and `clientSecretFile`.
 */

const text = (doc: string) => z.string().min(1).describe(doc);

/** `Broker-1:09092 ` → `broker-1:9092`, so that equal servers are equal texts. Undefined if it is not host:port. */
export function normaliseServer(text: string): string | undefined {
  const address = parseAddress(text.trim().toLowerCase());
  return address === undefined || /[\s/@]/.test(address.host) ? undefined : formatAddress(address);
}

/** One broker to start from, as the configuration has it. */
export const bootstrapServer = z.string().transform((text, context) => {
  const server = normaliseServer(text);
  if (server !== undefined) return server;
  context.addIssue({ code: 'custom', message: 'must be host:port, such as kafka-0.kafka:9092' });
  return z.NEVER;
});

const user = {
  username: text('The user.'),
  password: text('The password.'),
};

const mechanisms = [
  z.strictObject({ mechanism: z.literal('plain'), ...user }),
  z.strictObject({ mechanism: z.literal('scram-sha-256'), ...user }),
  z.strictObject({ mechanism: z.literal('scram-sha-512'), ...user }),
  z.strictObject({
    mechanism: z.literal('oauthbearer'),
    tokenEndpoint: z
      .url({ protocol: /^https?$/ })
      .overwrite(withoutFinalDot)
      .describe('For OAuth 2.0 client credentials (RFC 6749 §4.4).'),
    clientId: text('The client ID.'),
    clientSecret: text('The client secret.'),
    scope: text('Scopes, separated by spaces.').exactOptional(),
    extensions: z.record(z.string(), z.string()).describe('SASL extensions (KIP-342).').exactOptional(),
  }),
  z.strictObject({
    mechanism: z.literal('aws-msk-iam'),
    region: text('Of MSK. Credentials come from the AWS default chain.'),
  }),
] as const;

/** KEDA's spelling of each mechanism (kafka_scaler.go and apache_kafka_scaler.go, v2.21). */
const kedaSasl: Readonly<Record<string, string>> = {
  plain: 'plaintext',
  'scram-sha-256': 'scram_sha256',
  'scram-sha-512': 'scram_sha512',
  oauthbearer: 'oauthbearer',
  'aws-msk-iam': 'aws_msk_iam',
};

const sasl = z.discriminatedUnion('mechanism', mechanisms, {
  error: ({ input }) => {
    const given = typeof input === 'object' && input !== null && 'mechanism' in input ? input.mechanism : '';
    const names = mechanisms.map(({ shape }) => shape.mechanism.value);
    const keda = names.find((name) => kedaSasl[name] === given);
    const meant = keda === undefined ? didYouMean(String(given), names) : ` (KEDA's ${given} is ${keda})`;
    return `must be one of ${names.join(', ')}${meant}`;
  },
});

const atLeast = (least: number, fallback: number, doc: string) =>
  z.int().min(least).max(longestTimerMs).default(fallback).describe(doc);

export const kafkaConfig = z.strictObject({
  bootstrapServers: z.array(bootstrapServer).min(1).describe('Some brokers of the cluster, as host:port.'),
  tls: tlsSettings('`true`, or [these keys](#tls). Plaintext by default.'),
  sasl: sasl.optional().describe('The login.'),
  activeReadMs: atLeast(100, 1000, 'How often groups with new records are read.'),
  reconcileSeconds: z
    .number()
    .min(1)
    .default(30)
    .describe('The same for watched groups. It also refreshes topics.'),
  connectTimeoutMs: atLeast(100, 5000, 'For connecting, with TLS and SASL.'),
  requestTimeoutMs: atLeast(100, 10_000, 'For a broker to answer.'),
  watchMaxWaitMs: atLeast(100, 10_000, 'How long a broker holds the Fetch of a watch.'),
  watchPartitionsPerSession: atLeast(1, 1000, 'The most partitions of one Fetch session.'),
});

/** Holds secrets: never logged. */
export type KafkaConfig = z.output<typeof kafkaConfig>;

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
function agreesOnSasl(config: KafkaConfig, value: string): boolean {
  return (
    value === saslInKeda(config) || (config.sasl?.mechanism === 'aws-msk-iam' && value === 'oauthbearer')
  );
}

function saslInKeda({ sasl }: KafkaConfig): string {
  return (sasl && kedaSasl[sasl.mechanism]) ?? 'none';
}

/** `bearer` is KEDA's default; it only means something with oauthbearer. */
function tokenProviderInKeda({ sasl }: KafkaConfig): string {
  return sasl?.mechanism === 'aws-msk-iam' ? 'aws_msk_iam' : 'bearer';
}

function tlsInKeda({ tls }: KafkaConfig): string {
  return tls === undefined ? 'disable' : 'enable';
}

function agreesOnRegion({ sasl }: KafkaConfig, value: string): boolean {
  return sasl?.mechanism !== 'aws-msk-iam' || sasl.region === value;
}

/** The keys of KEDA's `kafka` and `apache-kafka` triggers that belong to the connection. */
export const kafkaConnectionKeys: Readonly<Record<string, ConnectionKey<KafkaConfig>>> = {
  bootstrapServers: {
    doc: 'Selects the connection by any of its servers.',
    selects: true,
    most: 8_192,
    agrees: agreesOnServers,
  },
  sasl: {
    doc: "Must be the connection's mechanism, in KEDA's spelling.",
    selects: false,
    agrees: agreesOnSasl,
    expected: saslInKeda,
  },
  tls: {
    doc: '`enable` where the connection has `tls`, else `disable`.',
    selects: false,
    agrees: (config, value) => value === tlsInKeda(config),
    expected: tlsInKeda,
  },
  saslTokenProvider: {
    doc: '`aws_msk_iam` with MSK IAM, else `bearer`.',
    selects: false,
    agrees: (config, value) => value === tokenProviderInKeda(config),
    expected: tokenProviderInKeda,
  },
  awsRegion: {
    doc: "Must be the connection's, with MSK IAM.",
    selects: false,
    agrees: agreesOnRegion,
  },
  version: ignored,
  fullMetadata: ignored,
  unsafeSsl: ignored,
  username: ignored,
  password: secret,
  ca: ignored,
  cert: ignored,
  key: secret,
  keyPassword: secret,
  scopes: ignored,
  oauthTokenEndpointUri: ignored,
  oauthExtensions: ignored,
  awsRoleArn: ignored,
  awsAccessKeyID: ignored,
  awsSecretAccessKey: secret,
  awsSessionToken: secret,
};
