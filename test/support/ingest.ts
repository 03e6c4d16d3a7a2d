import { createHmac } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { MemoryEventLog } from '../../src/event-log/memory.ts';
import type { PaceOptions } from '../../src/ingest/pace.ts';
import type { Receiver } from '../../src/ingest/receiver.ts';
import { type Hinted, noSenders, type Senders, type Token, Tokens } from '../../src/ingest/senders.ts';
import {
  type IngestDeps,
  type IngestLimits,
  IngestServer,
  type IngestTimes,
} from '../../src/ingest/server.ts';
import { webhookHeaders } from '../../src/sources/github/rules/webhook.ts';
import type { InboundEvent } from '../../src/sources/inbound.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { recordingLog } from './recording-log.ts';

const mebibyte = 1024 * 1024;
export const ingestLimits: IngestLimits = {
  maxBodyBytes: 5 * mebibyte,
  maxInflightBytes: 64 * mebibyte,
  maxEventsPerSecond: 2000,
};

/** A connection of an owner. Its facts are `workflow_job` events. */
export function receiver(owner: string, secrets: readonly string[], more: Partial<Receiver> = {}): Receiver {
  return {
    name: owner,
    kind: 'github',
    secrets,
    owns: (payload) => ownerOf(payload) === owner,
    fact: (event, payload) => (event === 'workflow_job' ? { of: ownerOf(payload) } : undefined),
    ...more,
  };
}

/** Everything that may receive or send: connections for webhooks, connections for hints, and tokens. */
export function senders({
  receivers = [],
  connections = [],
  tokens = [],
}: {
  receivers?: readonly Receiver[];
  connections?: readonly Hinted[];
  tokens?: readonly Token[];
}): Senders {
  const byName = new Map(connections.map((one) => [one.name, one]));
  return { receivers, connections: byName, tokens: new Tokens(tokens) };
}

function ownerOf(payload: unknown): unknown {
  return typeof payload === 'object' && payload !== null && 'owner' in payload ? payload.owner : undefined;
}

export interface IngestOptions {
  limits?: Partial<IngestLimits>;
  times?: Partial<IngestTimes>;
  maxConnections?: number;
  refusals?: PaceOptions;
  events?: IngestDeps['events'];
  /** In addition to the connections for webhooks. */
  others?: Pick<Senders, 'connections' | 'tokens'>;
  /** The receiver of hints. None by default. */
  hint?: IngestDeps['hint'];
  sns?: IngestDeps['sns'];
}

/** Opens the ingest port on a free one, and records what it keeps, counts and logs. */
export async function startIngest(receivers: readonly Receiver[], options: IngestOptions = {}) {
  const metrics = new Metrics();
  const log = recordingLog();
  const kept: InboundEvent[] = [];
  const events = new MemoryEventLog({ maxEvents: 100, log });
  const { connections } = options.others ?? noSenders;
  for (const name of new Set([...receivers.map(({ name }) => name), ...connections.keys()]))
    events.feedOf(name).follow((event) => kept.push(event));
  const hints: Parameters<IngestDeps['hint']>[] = [];
  const hint: IngestDeps['hint'] = (...given) => {
    hints.push(given);
    return options.hint?.(...given) ?? false;
  };
  const address = { host: '127.0.0.1', port: 0, maxConnections: options.maxConnections ?? 1024 };
  const deps: IngestDeps = {
    address,
    events: options.events ?? events,
    requests: metrics.ingestRequests,
    hint,
    webhooks: [{ kind: 'github', headers: webhookHeaders }],
    log,
    ...(options.sns === undefined ? {} : { sns: options.sns }),
  };
  const server = new IngestServer(deps, { slowMs: 60_000, ...options.times }, options.refusals);
  const limits = { ...ingestLimits, ...options.limits };
  server.use({ ...noSenders, ...options.others, receivers }, limits);
  const port = await server.listen(address);
  onTestFinished(() => server.drain(1000));
  const counted = async (outcome: string, kind = 'github') => {
    const { values } = await metrics.ingestRequests.get();
    return values.find(({ labels }) => labels.outcome === outcome && labels.kind === kind)?.value ?? 0;
  };
  return { server, port, log, kept, hints, limits, counted };
}

/** `X-Hub-Signature-256` as GitHub computes it. */
export function sign(body: string | Buffer, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

export interface Posted {
  status: number;
  headers: IncomingMessage['headers'];
  body: unknown;
}

export interface Post {
  path?: string;
  method?: string;
  body?: string | Buffer;
  /** Signs the body. */
  secret?: string;
  /** By default those of a `workflow_job` in JSON. */
  headers?: Readonly<Record<string, string | string[] | undefined>>;
}

/** Sends a webhook on a connection of its own. Rejects if the connection ends without an answer. */
export function post(
  port: number,
  { path = '/ingest/github', method = 'POST', body = '', secret, headers = {} }: Post = {},
): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: false,
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'workflow_job',
        'x-github-delivery': '0b989ba4-242f-11e5-81e1-c7b6966d2516',
        ...(secret === undefined ? {} : { 'x-hub-signature-256': sign(body, secret) }),
        ...headers,
      },
    });
    sent.once('response', (response) => {
      text(response).then((said) => {
        const answered = said === '' ? undefined : JSON.parse(said);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answered });
        sent.destroy();
      }, reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
