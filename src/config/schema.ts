import { z } from 'zod';
import { levels } from '../telemetry/log.ts';
import { decisions } from './decisions.ts';

/*
 * The configuration file, without the sources' own settings: those are each source's `config`. Strict: what is
 * not here is a fault. The descriptions become docs/configuration.md.
 */

const port = z.number().int().min(0).max(65_535);
const seconds = z.number().positive();
const file = z.string().min(1);
const bound = z.number().int().min(1);

function maxConnections(most: number) {
  return bound
    .default(most)
    .describe(
      'The most connections at a time; where they are all taken, the longest idle goes for a new one.',
    );
}

const log = z.strictObject({
  level: z.enum(levels).default('info').describe('The least severe log line that is written.'),
});

const grpcTls = z
  .strictObject({
    certFile: file.describe('PEM file of the certificate chain; read again when it changes.'),
    keyFile: file.describe('PEM file of its private key; read again when it changes.'),
    clientCaFile: file
      .optional()
      .describe(
        'PEM file of the authorities of client certificates. With it every client must show one (mTLS).',
      ),
    allowedClientNames: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Only clients whose certificate has one of these names (common name or DNS name) may call.'),
  })
  .refine((tls) => tls.allowedClientNames === undefined || tls.clientCaFile !== undefined, {
    path: ['allowedClientNames'],
    message: 'needs clientCaFile: without it clients show no certificate',
  });

const grpc = z.strictObject({
  host: z.string().min(1).default('0.0.0.0').describe('The address that KEDA calls.'),
  port: port.default(6000).describe('Its port; 0 takes a free one.'),
  maxConnectionAgeSeconds: seconds
    .optional()
    .describe(
      'With several pods: a connection is ended after this time, so that KEDA finds new pods. Off when left out.',
    ),
  maxConnections: maxConnections(256),
  maxStreams: bound
    .default(60_000)
    .describe(
      'The most streams at a time, over all connections. KEDA has two for each `external-push` trigger, and for a minute twice as many when its connection breaks. Above it: RESOURCE_EXHAUSTED.',
    ),
  maxStreamsPerConnection: bound
    .default(40_000)
    .describe('The same for one connection; all streams of a KEDA are on one.'),
  maxCalls: bound
    .default(10_000)
    .describe(
      'The most calls that are answered at a time; above it the oldest goes if it has had its time, else the new one is RESOURCE_EXHAUSTED.',
    ),
  tls: grpcTls.optional().describe('TLS for calls; plaintext when left out.'),
});

const admin = z.strictObject({
  host: z.string().min(1).default('0.0.0.0').describe('The address of metrics, probes and `/api/triggers`.'),
  port: port.default(8080).describe('Its port; 0 takes a free one.'),
  maxConnections: maxConnections(128),
  token: z
    .string()
    .min(1)
    .optional()
    .describe('The bearer token that everything but `/livez` and `/readyz` asks for; none when left out.'),
});

const bytes = z.number().int().min(1024);

/** Who knows it can wake what it is for; whoever can guess it can do that too. */
const ingestToken = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .describe('What it is called, for people. Two may have one name, while one is replaced.'),
  token: z
    .string()
    .min(16)
    .regex(/^[\x21-\x7e]*$/, 'must be letters, digits and signs without spaces: it is sent in a header')
    .describe('What senders show as `Authorization: Bearer …`, such as `openssl rand -hex 32` prints it.'),
  connections: z.array(z.string().min(1)).min(1).describe('The connections that it may send to.'),
});

const ingest = z
  .strictObject({
    host: z.string().min(1).default('0.0.0.0').describe('The address that they are sent to.'),
    port: port
      .default(8081)
      .describe(
        'Its port; 0 takes a free one. It is only opened where somebody may send: a connection takes webhooks or has `snsTopics`, or there is a token.',
      ),
    maxConnections: maxConnections(1_024),
    maxBodyBytes: bytes
      .default(5_242_880)
      .describe(
        'The largest request that is taken. GitHub sends up to 25 MB, but what it says of a job is small.',
      ),
    maxInflightBytes: bytes
      .default(67_108_864)
      .describe('How much of requests is held at a time; above it senders are asked to come back (429).'),
    tokens: z
      .array(ingestToken)
      .max(100)
      .default([])
      .describe('The bearer tokens of those who send hints and CloudEvents.'),
  })
  .refine(({ maxBodyBytes, maxInflightBytes }) => maxBodyBytes <= maxInflightBytes, {
    path: ['maxInflightBytes'],
    message: 'must be at least maxBodyBytes',
  });

const memoryLog = z.strictObject({
  type: z.literal('memory').describe('Where events are kept.'),
  maxEvents: z
    .number()
    .int()
    .min(1)
    .default(20_000)
    .describe('How many of the newest events are kept; above it the oldest go first. With `file`: 1000000.'),
});

const fileLog = z.strictObject({
  type: z.literal('file').describe('Where events are kept.'),
  dir: file.describe(
    'The directory, on a volume that outlives the pod. One scaler has it at a time. Relative to this file.',
  ),
  retentionSeconds: seconds
    .default(259_200)
    .describe('How long events are kept: at least as long as the longest `ttlSeconds` of a connection.'),
  maxEvents: z
    .number()
    .int()
    .min(1)
    .default(1_000_000)
    .describe('How many events are kept; above it the oldest go first.'),
});

const eventLogs = [memoryLog, fileLog] as const;

const eventLog = z.discriminatedUnion('type', eventLogs, {
  error: `must be one of ${eventLogs.map(({ shape }) => shape.type.value).join(', ')}`,
});

const limits = z.strictObject({
  triggers: z.number().int().min(1).default(20_000).describe('The most triggers that are kept at a time.'),
  triggersPerNamespace: z.number().int().min(1).default(2_000).describe('The same, for one namespace.'),
  coldReadTimeoutMs: z
    .number()
    .int()
    .min(1)
    .default(2_000)
    .describe('How long the first call of a trigger waits for its first reading.'),
  maxStalenessSeconds: seconds
    .default(60)
    .describe(
      'How old a reading may be where neither the trigger nor its source says otherwise; after that KEDA gets UNAVAILABLE, never zero.',
    ),
  leaseSeconds: seconds.default(300).describe('How long a trigger is measured after KEDA last asked for it.'),
  firstSyncTimeoutSeconds: seconds
    .default(120)
    .describe('How long readiness waits for sources that must be filled before they can answer.'),
});

const security = z.strictObject({
  allowPlaintextSecrets: z
    .boolean()
    .default(false)
    .describe(
      'Whether a connection may send its password or token over a network connection without TLS, and whether a trigger may have a secret from the environment (`passwordFromEnv`) where `grpc.tls` is not set.',
    ),
});

const namespacePattern = z
  .string()
  .regex(/^[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?$/, 'must be a namespace, or a pattern such as "team-*"');

/** What every connection has; the rest belongs to its source. */
export const connectionSchema = z.looseObject({
  source: z.string().min(1).describe('The kind of backlog.'),
  namespaces: z
    .array(namespacePattern)
    .min(1)
    .default(['*'])
    .describe('The namespaces whose triggers may use it; `*` stands for any run of characters.'),
});

const connectionName = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    'must be letters, digits, ".", "_" and "-", at most 63',
  );

/** The settings alone: everything but the connections. */
const settings = {
  log: log.prefault({}).describe('The log: JSON lines on standard output.'),
  grpc: grpc.prefault({}).describe('The server that KEDA calls.'),
  admin: admin.prefault({}).describe('The server of metrics, probes and readings.'),
  ingest: ingest
    .prefault({})
    .describe('The server that webhooks, hints and events are sent to; it may be reached from the Internet.'),
  eventLog: eventLog
    .prefault({ type: 'memory' })
    .describe(
      'Where verified events from outside are kept, for the ledgers that are filled by them; in memory when left out.',
    ),
  limits: limits.prefault({}).describe('Bounds on what triggers may cost.'),
  security: security.prefault({}).describe('What is refused unless it is asked for.'),
  decisions: decisions
    .prefault({})
    .describe('Who is told, beside the log, when a trigger is activated, deactivated, fails or recovers.'),
};

export const configSchema = z.strictObject({
  ...settings,
  connections: z
    .record(connectionName, connectionSchema)
    .describe('The named places that triggers can use. Their credentials never leave them.'),
});

export type Settings = Omit<z.infer<typeof configSchema>, 'connections'>;
