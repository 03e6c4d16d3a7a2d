import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { longestTimerMs } from '../clock.ts';
import { natsLoginFault, natsSendsSecretInPlaintext, natsSettings } from '../outbound/nats.ts';
import { withoutFinalDot } from '../server-name.ts';
import { leastSecretLength } from '../sources/source.ts';
import { levels } from '../telemetry/log.ts';
import type { Faults } from './document.ts';

/*
 * The configuration file, without the sources' own settings: those are each source's `config`. Strict: what is
 * not here is a fault. A setting applies while running (`liveSettings`) or only at the
 * start (`startSettings`). docs/configuration.md is generated from the descriptions.
 */

/** `*` is all of the machine's, which it has from the start: `::` takes IPv4 too, but is refused where there is no IPv6. */
const listenHost = (doc: string) =>
  z
    .string()
    .min(1)
    .default('*')
    .overwrite((host) => (host === '*' ? anyAddress() : host))
    .describe(`${doc} \`*\` is every IPv4 and IPv6 address.`);

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
  return bound.default(most).describe('The most connections. Beyond it the longest idle one is closed.');
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
  level: z.enum(levels).default('info').describe('The lowest level that is written.'),
});

const grpcTls = z
  .strictObject({
    certFile: file.describe('PEM file of the certificate chain. A change is picked up.'),
    keyFile: file.describe('PEM file of its private key. A change is picked up.'),
    clientCaFile: file
      .optional()
      .describe(
        'PEM file of the authorities of client certificates. If set, every client must show a certificate (mTLS).',
      ),
    allowedClientNames: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Only clients with one of these names in their certificate (common name or DNS name) may call.',
      ),
  })
  .refine((tls) => tls.allowedClientNames === undefined || tls.clientCaFile !== undefined, {
    path: ['allowedClientNames'],
    message: 'needs clientCaFile: without it clients show no certificate',
  });

const grpc = z.strictObject({
  host: listenHost('The address that KEDA calls.'),
  port: port.default(6000).describe('Its port. 0 takes a free one.'),
  maxConnectionAgeSeconds: seconds
    .optional()
    .describe(
      'For several pods: a connection ends after this time, so that KEDA finds new pods. Off by default.',
    ),
  maxConnections: maxConnections(256),
  maxStreams: bound
    .default(60_000)
    .describe(
      'The most streams of all connections. KEDA opens two for each `external-push` trigger, and twice as many for a minute after a broken connection. Beyond it: RESOURCE_EXHAUSTED.',
    ),
  maxStreamsPerConnection: bound
    .default(40_000)
    .describe('The same for one connection. A KEDA uses one connection.'),
  maxCalls: bound
    .default(10_000)
    .describe(
      'The most calls in progress. Beyond it the oldest is cut if it had its time; otherwise the new one is RESOURCE_EXHAUSTED.',
    ),
  tls: grpcTls.optional().describe('TLS for calls. Plaintext by default.'),
});

const adminAddress = z.strictObject({
  host: listenHost('The address of metrics, probes, `/api/triggers` and the status page.'),
  port: port.default(8080).describe('Its port. 0 takes a free one.'),
  maxConnections: maxConnections(128),
});

const adminAccess = z.strictObject({
  token: bearerToken
    .optional()
    .describe(
      'The bearer token for everything except `/livez`, `/readyz` and the files of the status page. None by default.',
    ),
});

const bytes = z.number().int().min(1024);

/** Its holder can wake the connections that it lists. */
const ingestToken = z.strictObject({
  name: z.string().min(1).max(63).describe('A name for people. Two tokens may share it during a rotation.'),
  token: bearerToken.describe(
    'What senders send as `Authorization: Bearer …`. Make one with `openssl rand -hex 32`.',
  ),
  connections: z.array(z.string().min(1)).min(1).describe('The connections that its holder may send to.'),
});

const ingestAddress = z.strictObject({
  host: listenHost('The address for senders.'),
  port: port
    .default(8081)
    .describe(
      'Its port. 0 takes a free one. It opens only if a connection accepts webhooks or has `snsTopics`, or `tokens` are set.',
    ),
  maxConnections: maxConnections(1_024),
});

const ingestAccess = z.strictObject({
  maxBodyBytes: bytes
    .default(5_242_880)
    .describe('The largest request. GitHub can send 25 MB, but job events are small.'),
  maxInflightBytes: bytes
    .default(67_108_864)
    .describe('The bytes of all requests in progress. Beyond it senders get 429.'),
  tokens: z
    .array(ingestToken)
    .max(100)
    .default([])
    .describe('Bearer tokens for senders of hints and CloudEvents.'),
});

const ingest = z
  .strictObject({ ...ingestAddress.shape, ...ingestAccess.shape })
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
    .describe(
      'How many events are kept. Beyond it the connections with the most events lose their oldest. With `file`: 1000000.',
    ),
});

const fileLog = z.strictObject({
  type: z.literal('file').describe('Where events are kept.'),
  dir: file.describe(
    'The directory, on a volume that outlives the pod. One scaler uses it at a time. Relative to this file.',
  ),
  retentionSeconds: seconds
    .default(259_200)
    .describe('How long events are kept. At least the longest `ttlSeconds` of a connection.'),
  maxEvents: z
    .number()
    .int()
    .min(1)
    .default(1_000_000)
    .describe('How many events are kept. Beyond it the connections with the most events lose their oldest.'),
});

/** A name that is valid for a NATS stream, a subject and a bucket. */
const streamName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be letters, digits, "_" and "-", at most 64');

const natsLog = z
  .strictObject({
    type: z.literal('nats').describe('Where events are kept.'),
    ...natsSettings,
    domain: z
      .string()
      .min(1)
      .exactOptional()
      .describe('The JetStream domain, if it differs from that of the servers.'),
    stream: streamName
      .default('backlog-scaler')
      .describe(
        'The JetStream stream, created if missing. All pods of one scaler share it, and no other scaler may use it.',
      ),
    replicas: z
      .union([z.literal(1), z.literal(3), z.literal(5)])
      .default(1)
      .describe('On how many servers the stream is kept. 3 for a NATS cluster.'),
    retentionSeconds: seconds
      .default(259_200)
      .describe('How long events are kept. At least the longest `ttlSeconds` of a connection.'),
    maxEventsPerConnection: whole(
      1,
      100_000,
      'How many events of one connection are kept. Beyond it the connection loses its oldest.',
    ),
    maxBytes: bytes
      .default(1_073_741_824)
      .describe('The bytes of all events. Beyond it the oldest are dropped. An event takes about 400.'),
    maxBuffered: whole(1, 10_000, 'How many events wait in a pod for NATS. Beyond it senders get 503.'),
    maxBufferedBytes: bytes.default(16_777_216).describe('The bytes of these events.'),
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
    triggers: whole(1, 20_000, 'The most triggers.'),
    triggersPerNamespace: whole(1, 2_000, 'The same, for one namespace.'),
    metadataBytes: whole(
      1024,
      33_554_432,
      'The bytes of metadata of all triggers. Beyond it a new trigger gets RESOURCE_EXHAUSTED.',
    ),
    metadataBytesPerNamespace: whole(1024, 4_194_304, 'The same, for one namespace.'),
    refusedTriggers: whole(
      1,
      1_000,
      'How many refused triggers are remembered. The oldest is dropped first.',
    ),
    coldReadTimeoutMs: milliseconds(
      2_000,
      'How long the first call for a trigger waits for its first reading.',
    ),
    maxStalenessSeconds: seconds
      .default(60)
      .describe(
        'How old a reading may be, unless the trigger or its source says otherwise. After that KEDA gets UNAVAILABLE, never zero.',
      ),
    leaseSeconds: seconds
      .default(300)
      .describe('The shortest time that a trigger is kept after its last call.'),
    maxLeaseSeconds: seconds
      .default(21_600)
      .describe(
        'The longest. A trigger with rare calls is kept up to this long, so that the next call finds it.',
      ),
    firstSyncTimeoutSeconds: seconds
      .max(Math.floor(longestTimerMs / 1000))
      .default(120)
      .describe('How long readiness waits for the first sync of sources that need one.'),
  })
  .refine(({ leaseSeconds, maxLeaseSeconds }) => leaseSeconds <= maxLeaseSeconds, {
    path: ['maxLeaseSeconds'],
    message: 'must be at least leaseSeconds',
  });

const surge = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Whether the HPA is made to look at once when a backlog grows. A trigger can opt out with `surge: "false"`.',
    ),
  surgesAtOnce: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe(
      'How many workloads surge at a time. The others wait. KEDA sends 20 requests a second to the API server (`--kube-api-qps`), which is about one workload a second from 0 to 20.',
    ),
});

const history = z.strictObject({
  hours: z
    .number()
    .min(0)
    .max(168)
    .default(6)
    .describe('How many hours of each trigger are kept, for the status page and `simulate`. 0 turns it off.'),
  bytes: whole(
    65_536,
    10_485_760,
    'The memory for all of it. When it is scarce, old points get coarser. Namespaces share it equally, and so do the triggers of each.',
  ),
});

const security = z.strictObject({
  allowPlaintextSecrets: z
    .boolean()
    .default(false)
    .describe(
      'Whether a connection may send its password or token without TLS. Also, whether a trigger may bring a secret from the environment (`passwordFromEnv`) while `grpc.tls` is not set.',
    ),
});

const decisions = z
  .strictObject({
    sink: z
      .string()
      .refine(
        (text) => sinkUrl(text) !== undefined,
        'must be an https:// or http:// address without user and password (use token)',
      )
      .overwrite(withoutFinalDot)
      .optional()
      .describe(
        'Where decisions are posted, as batches of CloudEvents. None by default. `http://` needs no `token` and no query, or security.allowPlaintextSecrets.',
      ),
    token: bearerToken.optional().describe('The bearer token for the sink.'),
    maxQueued: whole(
      1,
      10_000,
      'How many decisions wait for a slow sink. Beyond it the oldest are dropped and counted.',
    ),
    batchSize: z.number().int().min(1).max(1000).default(100).describe('The most decisions in one request.'),
    flushMs: milliseconds(1000, 'How long a decision waits for others in its request.'),
    timeoutMs: milliseconds(10_000, 'How long the sink may take to answer. Then the request is repeated.'),
  })
  .refine(({ sink, token }) => token === undefined || sink !== undefined, {
    path: ['token'],
    message: 'needs sink',
  })
  .refine(({ batchSize, maxQueued }) => batchSize <= maxQueued, {
    path: ['maxQueued'],
    message: 'must be at least batchSize',
  });

function sinkUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  return url.username === '' && url.password === '' ? url : undefined;
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
    .describe('The namespaces whose triggers may use it. `*` matches any characters.'),
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
  log: log.prefault({}).describe('The log: JSON lines on standard output.'),
  grpc: grpc.prefault({}).describe('The server that KEDA calls.'),
  admin: z
    .strictObject({ ...adminAddress.shape, ...adminAccess.shape })
    .prefault({})
    .describe('The server for metrics, probes and people.'),
  ingest: ingest
    .prefault({})
    .describe('The server for webhooks, hints and events. It may face the internet.'),
  eventLog: eventLog
    .prefault({ type: 'memory' })
    .describe('Where verified inbound events are kept. In memory by default.'),
  limits: limits.prefault({}).describe('Limits on triggers.'),
  surge: surge.prefault({}).describe('How the HPA is made to look at once when a backlog grows.'),
  history: history.prefault({}).describe('The history of triggers, in memory.'),
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

/** A password or token is sent to servers of NATS without TLS only with `allowPlaintextSecrets`. */
export function checkEventLog(
  eventLog: StartSettings['eventLog'],
  { allowPlaintextSecrets }: { allowPlaintextSecrets: boolean },
  faults: Faults,
): void {
  if (eventLog.type !== 'nats' || allowPlaintextSecrets || !natsSendsSecretInPlaintext(eventLog)) return;
  faults.add(
    ['eventLog'],
    'would send its password or token without TLS: set tls or a tls:// address, or security.allowPlaintextSecrets',
  );
}

/** A token or a query is sent without TLS only with `allowPlaintextSecrets`. */
export function checkSink(
  { sink, token }: LiveSettings['decisions'],
  { allowPlaintextSecrets }: { allowPlaintextSecrets: boolean },
  faults: Faults,
): void {
  const url = sink === undefined ? undefined : sinkUrl(sink);
  if (allowPlaintextSecrets || url?.protocol !== 'http:') return;
  if (token === undefined && url.search === '') return;
  faults.add(
    ['decisions', 'sink'],
    'would send its token or query without TLS: use https://, or set security.allowPlaintextSecrets',
  );
}
