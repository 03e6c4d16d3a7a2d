import { setTimeout } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify } from 'fastify';
import { ScalerError } from '../errors.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Logger } from '../telemetry/log.ts';
import { type Answer, type Outcome, refusal } from './answer.ts';
import { type BodyFault, readBody } from './body.ts';
import { GitHubWebhooks } from './github.ts';
import { InflightBytes, Share } from './inflight.ts';
import type { Head, IngestKind } from './kind.ts';
import type { Receiver } from './receiver.ts';
import { send } from './send.ts';
import { UnderWay } from './under-way.ts';

export interface IngestLimits {
  /** The largest body. */
  readonly maxBodyBytes: number;
  /** What all bodies together may hold. */
  readonly maxInflightBytes: number;
}

export interface IngestDeps {
  readonly events: Pick<EventLog, 'append'>;
  readonly requests: { inc(labels: { kind: string; outcome: Outcome }): void };
  readonly log: Logger;
}

/** In ms. */
export interface IngestTimes {
  /** The longest that a request's head may take. */
  readonly headMs: number;
  /** The same for all of it. GitHub does not wait longer than 10 s (docs.github.com, "Handling failed webhook deliveries"). */
  readonly requestMs: number;
  /** How often these are looked at. */
  readonly checkMs: number;
  /** How long a connection may wait for its next request: longer than load balancers do, so that none sends into a closing one. */
  readonly idleMs: number;
  /** How long a refused sender has to see the answer. */
  readonly lingerMs: number;
}

const defaultTimes: IngestTimes = {
  headMs: 5_000,
  requestMs: 10_000,
  checkMs: 1_000,
  idleMs: 75_000,
  lingerMs: 500,
};

/** GitHub and a load balancer need a few; each can cost a megabyte before it is refused. */
const maxConnections = 1024;
const maxRequestsPerConnection = 1000;
const busyRetrySeconds = 5;
const otherMethods = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/** The port for events from outside; it may be reached from the Internet. What a request must show is its kind's to say. */
export class IngestServer {
  private readonly deps: IngestDeps;
  private readonly times: IngestTimes;
  private readonly app: FastifyInstance;
  private readonly inflight = new InflightBytes(0);
  private receivers: readonly Receiver[] = [];
  private maxBodyBytes = 0;
  private opened = false;
  private readonly underWay = new UnderWay();
  private draining = false;

  constructor(deps: IngestDeps, times: Partial<IngestTimes> = {}) {
    this.deps = deps;
    this.times = { ...defaultTimes, ...times };
    this.app = this.createApp();
    const { events, log } = deps;
    this.addKind(new GitHubWebhooks({ events, log, receivers: () => this.receivers }));
  }

  /** From the next request on. */
  use(receivers: readonly Receiver[], { maxBodyBytes, maxInflightBytes }: IngestLimits): void {
    this.receivers = receivers;
    this.maxBodyBytes = maxBodyBytes;
    this.inflight.maxBytes = maxInflightBytes;
  }

  /** Whether there is something to listen for, and nobody has asked to listen yet. */
  get wantsPort(): boolean {
    return this.receivers.length > 0 && !this.opened;
  }

  /** What all bodies hold now. */
  get inflightBytes(): number {
    return this.inflight.bytes;
  }

  /** Resolves with the port; throws ScalerError where it cannot be had, and can then be called again. */
  async listen({ host, port }: { host: string; port: number }): Promise<number> {
    this.opened = true;
    try {
      await this.app.listen({ host, port });
    } catch (cause) {
      this.opened = false;
      const { message } = ScalerError.from(cause);
      throw new ScalerError('unavailable', `ingest: cannot listen on ${host}:${port}: ${message}`, { cause });
    }
    const address = this.app.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Takes nothing new; requests that are under way have so long to end. */
  async drain(limitMs: number): Promise<void> {
    this.draining = true;
    const closed = this.app.close();
    const limit = new AbortController();
    const late = setTimeout(limitMs, undefined, { signal: limit.signal });
    await Promise.race([this.underWay.none(), late]).finally(() => limit.abort());
    // Connections that have never asked for anything do not count as idle for Node.
    this.app.server.closeAllConnections();
    await closed;
  }

  private createApp(): FastifyInstance {
    const { headMs, requestMs, checkMs, idleMs } = this.times;
    const app = fastify({
      logger: false,
      forceCloseConnections: 'idle',
      connectionTimeout: requestMs,
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      maxRequestsPerSocket: maxRequestsPerConnection,
      http: { headersTimeout: headMs, connectionsCheckingInterval: checkMs },
      frameworkErrors: (_, __, reply) => void this.nothingHere(reply),
    });
    app.server.maxConnections = maxConnections;
    // Bodies are read here, raw and within bounds.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_, __, done) => done(null, undefined));
    app.setNotFoundHandler((_, reply) => this.nothingHere(reply));
    app.addHook('onRequest', async (_, reply) => {
      reply.raw.once('close', this.underWay.begin());
    });
    app.addHook('onSend', async (_, reply) => {
      if (this.draining) reply.header('connection', 'close');
    });
    return app;
  }

  private nothingHere(reply: FastifyReply): FastifyReply {
    const error = 'nothing is here; events go to /ingest/<kind>';
    return send(reply, refusal(404, 'unsupported', error), this.times.lingerMs);
  }

  private addKind(kind: IngestKind): void {
    const answer = (reply: FastifyReply, given: Answer): FastifyReply => {
      this.deps.requests.inc({ kind: kind.kind, outcome: given.outcome });
      return send(reply, given, this.times.lingerMs);
    };
    for (const url of [`/ingest/${kind.kind}`, `/ingest/${kind.kind}/:connection`]) {
      this.app.post(url, {
        onRequest: async (request, reply) => {
          const refused = kind.refuse(headOf(request));
          if (refused !== undefined) await answer(reply, refused);
        },
        handler: async (request, reply) => answer(reply, await this.take(kind, request)),
      });
      this.app.route({
        method: otherMethods,
        url,
        handler: (_, reply) =>
          answer(reply.header('allow', 'POST'), refusal(405, 'unsupported', 'takes POST')),
      });
    }
  }

  private async take(kind: IngestKind, request: FastifyRequest): Promise<Answer> {
    const share = new Share(this.inflight);
    try {
      const body = await readBody(request.raw, share, this.maxBodyBytes);
      return typeof body === 'string' ? faulty(body) : await kind.take(headOf(request), body);
    } catch (reason) {
      const { message } = ScalerError.from(reason);
      this.deps.log.error(
        { kind: kind.kind, error: message },
        'an event from outside could not be taken: a fault of the scaler itself',
      );
      return refusal(500, 'unavailable', 'a fault of the scaler itself');
    } finally {
      share.release();
    }
  }
}

function headOf({ headers, params }: FastifyRequest): Head {
  const named =
    typeof params === 'object' && params !== null && 'connection' in params ? params.connection : undefined;
  return { headers, connection: typeof named === 'string' ? named : undefined };
}

function faulty(fault: BodyFault): Answer {
  switch (fault) {
    case 'too_large':
      return refusal(413, 'too_large', 'larger than ingest.maxBodyBytes');
    case 'busy':
      return refusal(429, 'busy', 'too much is under way', { retryAfterSeconds: busyRetrySeconds });
    case 'cut':
      return refusal(400, 'malformed', 'the body did not come whole');
  }
}
