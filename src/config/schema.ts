import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { longestTimerMs } from '../clock.ts';
import { natsLoginFault, natsSettings } from '../outbound/nats.ts';
import { withoutFinalDot } from '../server-name.ts';
import { leastSecretLength } from '../sources/source.ts';
import { levels } from '../telemetry/log.ts';

/*
 * The configuration file, without the sources' own settings: those are each source's `config`. Strict: what is
 * not here is a fault. A setting applies while running (`liveSettings`) or only at the
 * start (`startSettings`). docs/configuration.md is generated from the descriptions.
 */

/** `*` is all of the machine's, which it has from the start: `::` takes IPv4 too, but is refused where there is no IPv6. */
const listenHost = z
  .string()
  .min(1)
  .default('*')
  .overwrite((host) => (host === '*' ? anyAddress() : host))
  .describe('`*` is every address.');

const port = z.number().int().min(0).max(65_535);
const seconds = z.number().positive();
const file = z.string().min(1);
const bound = z.number().int().min(1);

/** Any of IPv6, also one of the machine itself: then its kernel listens on `::`. */
export function anyAddress(interfaces = networkInterfaces()): string {
  return Object.values(interfaces).some((all) => all?.some(({ family }) => family === 'IPv6'))
    ? '::'
    : '0.0.0.0';
}

function maxConnections(most: number) {
  return bound.default(most).describe('Beyond it the longest idle connection is closed.');
}
const whole = (least: number, fallback: number, doc: string) =>
  z.number().int().min(least).default(fallback).describe(doc);
/** For a timer. */
const milliseconds = (fallback: number, doc: string) =>
  z.number().int().min(1).max(longestTimerMs).default(fallback).describe(doc);
/** Who shows it may do something; it is sent in a header. */
const bearerToken = z
  .string()
  .min(leastSecretLength)
  .regex(/^[\x21-\x7e]*$/, 'must be letters, digits and signs without spaces: it is sent in a header');

const log = z.strictObject({
  level: z.enum(levels).default('info').describe('The lowest level written.'),
});

const grpcTls = z
  .strictObject({
    certFile: file.describe('PEM of the certificate chain.'),
    keyFile: file.describe('PEM of its private key.'),
    clientCaFile: file
      .optional()
      .describe('PEM of the authorities of client certificates, which every client must then show (mTLS).'),
    allowedClientNames: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Only these common or DNS names may call.'),
  })
  .refine((tls) => tls.allowedClientNames === undefined || tls.clientCaFile !== undefined, {
    path: ['allowedClientNames'],
    message: 'needs clientCaFile: without it clients show no certificate',
  });

const grpc = z.strictObject({
  host: listenHost,
  port: port.default(6000).describe('0 takes a free one.'),
  maxConnectionAgeSeconds: seconds
    .optional()
    .describe('Ends connections, so that KEDA finds new pods. Off by default.'),
  maxConnections: maxConnections(256),
  maxStreams: bound
    .default(60_000)
    .describe(
      'Beyond it: RESOURCE_EXHAUSTED. KEDA opens two for each `external-push` trigger, for a minute after a broken connection four.',
    ),
  maxStreamsPerConnection: bound.default(40_000).describe('The same for one connection. KEDA uses one.'),
  maxCalls: bound
    .default(10_000)
    .describe(
      'Calls in progress. Beyond it the oldest is cut if it had its time; otherwise the new one is RESOURCE_EXHAUSTED.',
    ),
  tls: grpcTls.optional().describe('Plaintext by default.'),
});

const adminAddress = z.strictObject({
  host: listenHost,
  port: port.default(8080).describe('0 takes a free one.'),
  maxConnections: maxConnections(128),
});

const adminAccess = z.strictObject({
  token: bearerToken
    .optional()
    .describe('Asked for, except by `/livez`, `/readyz` and files of the status page. None by default.'),
});

const bytes = z.number().int().min(1024);

/** Its holder can wake the connections that it lists. */
const ingestToken = z.strictObject({
  name: z.string().min(1).max(63).describe('Two tokens may share it during a rotation.'),
  token: bearerToken.describe('Sent as `Authorization: Bearer …`. Make one with `openssl rand -hex 32`.'),
  connections: z.array(z.string().min(1)).min(1).describe('Where its holder may send.'),
});

const ingestAddress = z.strictObject({
  host: listenHost,
  port: port
    .default(8081)
    .describe(
      '0 takes a free one. It opens only with `tokens`, or a connection with webhooks or `snsTopics`.',
    ),
  maxConnections: maxConnections(1_024),
});

const ingestAccess = z.strictObject({
  maxBodyBytes: bytes.default(5_242_880).describe('The largest request.'),
  maxInflightBytes: bytes.default(67_108_864).describe('All requests in progress. Beyond it: 429.'),
  maxEventsPerSecond: z
    .number()
    .int()
    .min(1)
    .default(2_000)
    .describe(
      'Webhooks and CloudEvents of each connection. Five seconds’ worth may come at once. Beyond it senders wait, then get 429.',
    ),
  tokens: z.array(ingestToken).max(100).default([]).describe('For senders of hints and CloudEvents.'),
});

const ingest = z
  .strictObject({ ...ingestAddress.shape, ...ingestAccess.shape })
  .refine(({ maxBodyBytes, maxInflightBytes }) => maxBodyBytes <= maxInflightBytes, {
    path: ['maxInflightBytes'],
    message: 'must be at least maxBodyBytes',
  });

const memoryLog = z.strictObject({
  type: z.literal('memory'),
  maxEvents: z
    .number()
    .int()
    .min(1)
    .default(20_000)
    .describe('Beyond it the connections with most lose their oldest.'),
});

const fileLog = z.strictObject({
  type: z.literal('file'),
  dir: file.describe('On a volume that outlives the pod, for one scaler at a time.'),
  retentionSeconds: seconds.default(259_200).describe('At least a connection’s longest `ttlSeconds`.'),
  maxEvents: z
    .number()
    .int()
    .min(1)
    .default(1_000_000)
    .describe('Beyond it the connections with most lose their oldest.'),
});

/** A name that is valid for a NATS stream, a subject and a bucket. */
const streamName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be letters, digits, "_" and "-", at most 64');

const natsLog = z
  .strictObject({
    type: z.literal('nats'),
    ...natsSettings,
    domain: z.string().min(1).exactOptional().describe('The JetStream domain, if not the servers’ own.'),
    stream: streamName
      .default('backlog-scaler')
      .describe('Created if missing, and shared by the pods of one scaler only.'),
    replicas: z
      .union([z.literal(1), z.literal(3), z.literal(5)])
      .default(1)
      .describe('Of the stream: 3 in a NATS cluster.'),
    retentionSeconds: seconds.default(259_200).describe('At least a connection’s longest `ttlSeconds`.'),
    maxEventsPerConnection: whole(1, 100_000, 'Beyond it the connection loses its oldest.'),
    maxBytes: bytes
      .default(1_073_741_824)
      .describe('Beyond it the oldest events are dropped. One takes about 400 bytes.'),
    maxBuffered: whole(1, 10_000, 'Events that wait in a pod for NATS. Beyond it senders get 503.'),
    maxBufferedBytes: bytes.default(16_777_216).describe('Their bytes.'),
  })
  .superRefine((settings, context) => {
    const fault = natsLoginFault(settings);
    if (fault !== undefined) context.addIssue({ code: 'custom', path: [fault.path], message: fault.message });
  });

const eventLogs = [memoryLog, fileLog, natsLog] as const;

const eventLog = z.discriminatedUnion('type', eventLogs, {
  error: `must be one of ${eventLogs.map(({ shape }) => shape.type.value).join(', ')}`,
});

const limits = z
  .strictObject({
    triggers: whole(1, 20_000, 'Beyond it a new trigger gets RESOURCE_EXHAUSTED.'),
    triggersPerNamespace: whole(1, 2_000, 'The same for one namespace.'),
    metadataBytes: whole(1024, 33_554_432, 'The same for their metadata.'),
    metadataBytesPerNamespace: whole(1024, 4_194_304, 'The same for one namespace.'),
    refusedTriggers: whole(1, 1_000, 'How many are remembered.'),
    coldReadTimeoutMs: milliseconds(2_000, 'How long a trigger’s first call waits for a reading.'),
    maxStalenessSeconds: seconds
      .default(60)
      .describe(
        'How old a reading may be, unless trigger or source say otherwise. Then KEDA gets UNAVAILABLE.',
      ),
    leaseSeconds: seconds.default(300).describe('How long a trigger is kept after its last call.'),
    maxLeaseSeconds: seconds.default(21_600).describe('At most, for triggers with rare calls.'),
    firstSyncTimeoutSeconds: seconds
      .max(Math.floor(longestTimerMs / 1000))
      .default(120)
      .describe('How long readiness waits for first syncs.'),
  })
  .refine(({ leaseSeconds, maxLeaseSeconds }) => leaseSeconds <= maxLeaseSeconds, {
    path: ['maxLeaseSeconds'],
    message: 'must be at least leaseSeconds',
  });

const surge = z.strictObject({
  enabled: z.boolean().default(true).describe('A trigger opts out with `surge: "false"`.'),
  surgesAtOnce: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe(
      'Workloads that surge at a time, in each pod. The others [wait](scaling.md#many-workloads-at-once).',
    ),
});

const history = z.strictObject({
  hours: z.number().min(0).max(168).default(6).describe('0 turns it off.'),
  bytes: whole(
    65_536,
    10_485_760,
    'When scarce, old points get coarser. Namespaces share them equally, and so do the triggers of each.',
  ),
});

const security = z.strictObject({
  allowPlaintextSecrets: z
    .boolean()
    .default(false)
    .describe(
      'Lets connections send passwords and tokens without TLS, and triggers bring secrets (`passwordFromEnv`) without `grpc.tls`.',
    ),
});

const decisions = z
  .strictObject({
    sink: z
      .string()
      .refine(isSink, 'must be an https:// or http:// address without user and password (use token)')
      .overwrite(withoutFinalDot)
      .optional()
      .describe(
        'Where batches of CloudEvents are posted. None by default. `http://` with a `token` or query needs `security.allowPlaintextSecrets`.',
      ),
    token: bearerToken.optional().describe('Its bearer token.'),
    maxQueued: whole(1, 10_000, 'How many wait for a slow sink. Beyond it the oldest are dropped.'),
    batchSize: z.number().int().min(1).max(1000).default(100).describe('The most in one request.'),
    flushMs: milliseconds(1000, 'How long one waits for others.'),
    timeoutMs: milliseconds(10_000, 'After this time a request is repeated.'),
  })
  .refine(({ sink, token }) => token === undefined || sink !== undefined, {
    path: ['token'],
    message: 'needs sink',
  })
  .refine(({ batchSize, maxQueued }) => batchSize <= maxQueued, {
    path: ['maxQueued'],
    message: 'must be at least batchSize',
  });

function isSink(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username + url.password === '';
}

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
    .describe('Whose triggers may use it. `*` is any characters. *live*.'),
});

const connectionName = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    'must be letters, digits, ".", "_" and "-", at most 63',
  );

/** Settings that apply only at the start: sockets, and where events are kept. */
export const startSettings = {
  grpc,
  admin: adminAddress,
  ingest: ingestAddress,
  eventLog,
} as const;

/** Settings that apply while running. Every setting is here or in `startSettings`. */
export const liveSettings = {
  log,
  admin: adminAccess,
  ingest: ingestAccess,
  limits,
  surge,
  history,
  security,
  decisions,
} as const;

type Output<Sections extends Readonly<Record<string, z.ZodType>>> = {
  readonly [Name in keyof Sections]: Readonly<z.output<Sections[Name]>>;
};
export type StartSettings = Output<typeof startSettings>;
export type LiveSettings = Output<typeof liveSettings>;

export const configSchema = z.strictObject({
  log: log.prefault({}).describe('JSON lines on standard output.'),
  grpc: grpc.prefault({}).describe('The server that KEDA calls.'),
  admin: z
    .strictObject({ ...adminAddress.shape, ...adminAccess.shape })
    .prefault({})
    .describe('Metrics, probes, `/api/triggers` and the status page.'),
  ingest: ingest.prefault({}).describe('Webhooks, hints and events. It may face the internet.'),
  eventLog: eventLog
    .prefault({ type: 'memory' })
    .describe('Where verified inbound events are kept: `memory` by default.'),
  limits: limits.prefault({}).describe('Limits on triggers.'),
  surge: surge.prefault({}).describe('Makes the HPA [look at once](scaling.md) when a backlog grows.'),
  history: history
    .prefault({})
    .describe('The history of triggers in memory, for the status page and `simulate`.'),
  security: security.prefault({}).describe('What is refused by default.'),
  decisions: decisions.prefault({}).describe('Where [decisions](decisions.md) go besides the log.'),
  connections: z
    .record(connectionName, connectionSchema)
    .describe('Named places that triggers can use. Credentials stay with their connection.'),
});

type Sections = Readonly<Record<string, unknown>>;

/** Separates settings for the start from live ones. */
export function settingsOf(document: z.output<typeof configSchema>): {
  start: StartSettings;
  live: LiveSettings;
} {
  // The same schemas have read the document.
  return {
    start: partOf(document, startSettings) as StartSettings,
    live: partOf(document, liveSettings) as LiveSettings,
  };
}

function partOf(document: Sections, schemas: Readonly<Record<string, z.ZodType>>): Sections {
  const entries = Object.entries(schemas).map(([name, schema]) => {
    const section = Object.entries(document[name] ?? {});
    const taken = section.filter(([key]) => !(schema instanceof z.ZodObject) || key in schema.shape);
    return [name, Object.fromEntries(taken)];
  });
  return Object.fromEntries(entries);
}
