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
 * not here is a fault. A setting is taken while running or only at the start: `liveSettings` and `startSettings`
 * say which, and docs/configuration.md, which is made of the descriptions, tells so.
 */

/** `*` is all of the machine's, which it has from the start: `::` takes IPv4 too, but is refused where there is no IPv6. */
const listenHost = (doc: string) =>
  z
    .string()
    .min(1)
    .default('*')
    .overwrite((host) => (host === '*' ? anyAddress() : host))
    .describe(`${doc} \`*\`: all addresses of IPv4 and IPv6, as far as the machine has any.`);

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
  return bound
    .default(most)
    .describe(
      'The most connections at a time; where they are all taken, the longest idle goes for a new one.',
    );
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
  host: listenHost('The address that KEDA calls.'),
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

const adminAddress = z.strictObject({
  host: listenHost('The address of metrics, probes, `/api/triggers` and the status page.'),
  port: port.default(8080).describe('Its port; 0 takes a free one.'),
  maxConnections: maxConnections(128),
});

const adminAccess = z.strictObject({
  token: bearerToken
    .optional()
    .describe(
      'The bearer token that everything but `/livez`, `/readyz` and the files of the status page asks for; none when left out.',
    ),
});

const bytes = z.number().int().min(1024);

/** Who knows it can wake what it is for; whoever can guess it can do that too. */
const ingestToken = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .describe('What it is called, for people. Two may have one name, while one is replaced.'),
  token: bearerToken.describe(
    'What senders show as `Authorization: Bearer …`, such as `openssl rand -hex 32` prints it.',
  ),
  connections: z.array(z.string().min(1)).min(1).describe('The connections that it may send to.'),
});

const ingestAddress = z.strictObject({
  host: listenHost('The address that they are sent to.'),
  port: port
    .default(8081)
    .describe(
      'Its port; 0 takes a free one. It is only opened where somebody may send: a connection takes webhooks or has `snsTopics`, or there is a token.',
    ),
  maxConnections: maxConnections(1_024),
});

const ingestAccess = z.strictObject({
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
      'How many of the newest events are kept; above it the oldest of those connections go that have most. With `file`: 1000000.',
    ),
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
    .describe('How many events are kept; above it the oldest of those connections go that have most.'),
});

/** Consists of what a NATS stream, a subject of it and a bucket beside it may be called. */
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
      .describe('The JetStream domain, where it is not that of the servers.'),
    stream: streamName
      .default('backlog-scaler')
      .describe(
        'The JetStream stream, which is made where it is not there. All pods of one scaler have the same, and no other scaler has it.',
      ),
    replicas: z
      .union([z.literal(1), z.literal(3), z.literal(5)])
      .default(1)
      .describe('On how many servers the stream is kept: 3 where NATS is a cluster.'),
    retentionSeconds: seconds
      .default(259_200)
      .describe('How long events are kept: at least as long as the longest `ttlSeconds` of a connection.'),
    maxEventsPerConnection: whole(
      1,
      100_000,
      "How many of the newest events of a connection are kept; above it its own oldest go, and nobody else's.",
    ),
    maxBytes: bytes
      .default(1_073_741_824)
      .describe(
        'How many bytes of events are kept; above it the oldest go, whosever they are. An event takes about 400.',
      ),
    maxBuffered: whole(
      1,
      10_000,
      'How many events a pod keeps in memory that NATS has not taken yet; above it their senders are asked to come back (503).',
    ),
    maxBufferedBytes: bytes.default(16_777_216).describe('How many bytes they may be.'),
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
    triggers: whole(1, 20_000, 'The most triggers that are kept at a time.'),
    triggersPerNamespace: whole(1, 2_000, 'The same, for one namespace.'),
    metadataBytes: whole(
      1024,
      33_554_432,
      'How many bytes of metadata are kept for all triggers; a trigger beyond that gets RESOURCE_EXHAUSTED.',
    ),
    metadataBytesPerNamespace: whole(1024, 4_194_304, 'The same, for one namespace.'),
    refusedTriggers: whole(
      1,
      1_000,
      'How many refused triggers are remembered with the reason; the oldest goes first.',
    ),
    coldReadTimeoutMs: milliseconds(
      2_000,
      'How long the first call of a trigger waits for its first reading.',
    ),
    maxStalenessSeconds: seconds
      .default(60)
      .describe(
        'How old a reading may be where neither the trigger nor its source says otherwise; after that KEDA gets UNAVAILABLE, never zero.',
      ),
    leaseSeconds: seconds
      .default(300)
      .describe('How long a trigger is measured after KEDA last asked for it, at the least.'),
    maxLeaseSeconds: seconds
      .default(21_600)
      .describe(
        'The same at the most: a trigger that is asked for seldom is kept for up to this long, so that it is known when the next call comes.',
      ),
    firstSyncTimeoutSeconds: seconds
      .max(Math.floor(longestTimerMs / 1000))
      .default(120)
      .describe('How long readiness waits for sources that must be filled before they can answer.'),
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
      'Whether HPAs are made to look at once when a backlog grows; a trigger can say `surge: "false"` for itself.',
    ),
  surgesAtOnce: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe(
      'How many workloads are brought to their replicas at the same time; the others wait for their turn. KEDA allows itself 20 requests a second to the API server (`--kube-api-qps`): one workload a second from 0 to 20, however many at once.',
    ),
});

const history = z.strictObject({
  hours: z
    .number()
    .min(0)
    .max(168)
    .default(6)
    .describe(
      'For how many hours it is kept what each trigger was like, for the status page and `simulate`; 0: not at all.',
    ),
  bytes: whole(
    65_536,
    10_485_760,
    'How much memory that may take for all triggers. Where it is scarce, what is older gets coarser, each namespace has an equal share, and in it each trigger.',
  ),
});

const security = z.strictObject({
  allowPlaintextSecrets: z
    .boolean()
    .default(false)
    .describe(
      'Whether a connection may send its password or token over a network connection without TLS, and whether a trigger may have a secret from the environment (`passwordFromEnv`) where `grpc.tls` is not set.',
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
        'The address that each decision is posted to, as a CloudEvent in batches; none when left out. `http://` only where nothing secret is sent: without `token` and without a query, or with security.allowPlaintextSecrets.',
      ),
    token: bearerToken.optional().describe('The bearer token that it asks for.'),
    maxQueued: whole(
      1,
      10_000,
      'How many decisions wait for a sink that is slow or down; then the oldest are dropped, and counted.',
    ),
    batchSize: z.number().int().min(1).max(1000).default(100).describe('The most decisions in one request.'),
    flushMs: milliseconds(1000, 'How long a decision waits for others to go in one request with it.'),
    timeoutMs: milliseconds(10_000, 'How long the sink has for its answer; then the request is tried again.'),
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
    .describe('The namespaces whose triggers may use it; `*` stands for any run of characters.'),
});

const connectionName = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    'must be letters, digits, ".", "_" and "-", at most 63',
  );

/** What is only taken at the start: sockets stay where they are, and events where they are kept. */
export const startSettings = {
  grpc,
  admin: adminAddress,
  ingest: ingestAddress,
  eventLog,
} as const;

/** What is taken while running. Every setting is here or in `startSettings`. */
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
    .describe('The server of metrics, probes and readings.'),
  ingest: ingest
    .prefault({})
    .describe('The server that webhooks, hints and events are sent to; it may be reached from the Internet.'),
  eventLog: eventLog
    .prefault({ type: 'memory' })
    .describe(
      'Where verified events from outside are kept, for the ledgers that are filled by them; in memory when left out.',
    ),
  limits: limits.prefault({}).describe('Bounds on what triggers may cost.'),
  surge: surge.prefault({}).describe('How HPAs are made to look at once when a backlog grows.'),
  history: history.prefault({}).describe('What is kept of the past of triggers, in memory.'),
  security: security.prefault({}).describe('What is refused unless it is asked for.'),
  decisions: decisions
    .prefault({})
    .describe('Who is told, beside the log, when a trigger is activated, deactivated, fails or recovers.'),
  connections: z
    .record(connectionName, connectionSchema)
    .describe('The named places that triggers can use. Their credentials never leave them.'),
});

type Sections = Readonly<Record<string, unknown>>;

/** Tells what is taken at the start from what is taken while running. */
export function settingsOf(document: z.output<typeof configSchema>): {
  start: StartSettings;
  live: LiveSettings;
} {
  // Both are made of the schemas that the document was read by.
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

/** A password or token is only sent to servers of NATS without TLS where that is asked for. */
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

/** A token, and whatever a query holds, is only sent without TLS where that is asked for. */
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
