import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify } from 'fastify';
import { bears } from '../bearer.ts';
import { ScalerError } from '../errors.ts';
import { boundHttp, type Sockets, withoutSchemas } from '../sockets.ts';
import { historyCsv, historyView, parseHistoryQuery } from './history.ts';
import { type LiveDeps, LiveFeed, type LiveTimes } from './live.ts';
import { addStatusPage, noTrigger, type StatusPageDeps } from './status-page.ts';
import { parsePageQuery, triggerPage } from './trigger-page.ts';
import { type Statuses, triggerSeries } from './trigger-series.ts';

export interface Readiness {
  ready: boolean;
  /** Each thing readiness waits for, and whether it is there. */
  checks: Readonly<Record<string, boolean>>;
}

export interface AdminDeps {
  /** The series that are not of one trigger, as text. */
  exposition(): Promise<string>;
  triggers: Statuses & Pick<StatusPageDeps, 'past'>;
  /** For the status page. */
  connections: LiveDeps['connections'];
  details: StatusPageDeps['details'];
  version: string;
  readiness(): Readiness;
  /** The bearer token that is valid now. Undefined means none. */
  token(): string | undefined;
  /** The most connections at a time; see Sockets. */
  maxConnections: number;
}

/** In ms; tests shorten them. */
export interface AdminTimes {
  /** How long an answer may take until its reader has all of it: Prometheus waits no longer by default. */
  readonly answerMs: number;
  /** How long a page is safe from being cut for another reader; one of 10,000 triggers is read in well under a second. */
  readonly pageMs: number;
  readonly live: Partial<LiveTimes>;
}

export interface ListenAddress {
  host: string;
  port: number;
}

const defaultTimes: AdminTimes = { answerMs: 10_000, pageMs: 2_000, live: {} };

/** A page is kept in memory until its reader has taken it. */
const maxPagesAtOnce = 4;

/** Metrics, probes and readings, for people and Prometheus. Nothing here reads a source. */
export class AdminServer {
  private readonly deps: AdminDeps;
  private readonly times: AdminTimes;
  private readonly app: FastifyInstance;
  private readonly sockets: Sockets;
  private readonly live: LiveFeed;
  /** The pages that are being read, and since when; the oldest first. */
  private readonly pages = new Map<FastifyReply, number>();

  constructor(deps: AdminDeps, times: Partial<AdminTimes> = {}) {
    this.deps = deps;
    this.times = { ...defaultTimes, ...times };
    this.app = fastify({
      logger: false,
      forceCloseConnections: true,
      requestTimeout: 10_000,
      bodyLimit: 1024,
      schemaController: withoutSchemas,
      // Of addresses that cannot be read, or are too long: its own messages repeat all of them.
      frameworkErrors: ({ statusCode = 400 }, _, reply: FastifyReply) =>
        reply.code(statusCode).send({ error: 'the address cannot be read, or is too long' }),
    });
    this.sockets = boundHttp(this.app.server, { most: deps.maxConnections, answerMs: this.times.answerMs });
    this.live = new LiveFeed(
      {
        triggers: deps.triggers,
        connections: deps.connections,
        version: deps.version,
        ready: () => deps.readiness().ready,
      },
      this.times.live,
    );
    this.addProbes();
    this.addPages();
    this.addStatusPage();
    this.app.setNotFoundHandler((_, reply) =>
      reply.code(404).send({ error: 'nothing is here; see /, /metrics, /api/triggers, /readyz and /livez' }),
    );
  }

  /** Resolves with the port; throws ScalerError where it cannot be had. */
  async listen({ host, port }: ListenAddress): Promise<number> {
    try {
      await this.app.listen({ host, port });
    } catch (cause) {
      const { message } = ScalerError.from(cause);
      throw new ScalerError('unavailable', `admin: cannot listen on ${host}:${port}: ${message}`, { cause });
    }
    const address = this.app.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  get openConnections(): number {
    return this.sockets.size;
  }

  async close(): Promise<void> {
    this.live.close();
    await this.app.close();
  }

  private addProbes(): void {
    // Says only that the event loop turns: a source that is down is no reason to restart.
    this.app.get('/livez', (_, reply) => reply.type('text/plain').send('ok'));
    this.app.get('/readyz', (_, reply) => {
      const readiness = this.deps.readiness();
      return reply.code(readiness.ready ? 200 : 503).send(readiness);
    });
  }

  private addPages(): void {
    const onRequest = [this.askForToken, this.takePage];
    this.app.get('/metrics', { onRequest }, (_, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(Readable.from(this.metricsPage())),
    );
    this.app.get('/api/triggers', { onRequest }, async (request, reply) => {
      const query = parsePageQuery(request.query);
      if ('fault' in query) return reply.code(400).send({ error: query.fault });
      return triggerPage(this.deps.triggers, query);
    });
    this.app.get<{ Params: { id: string } }>('/api/triggers/:id/history', { onRequest }, (request, reply) => {
      const query = parseHistoryQuery(request.query);
      if ('faults' in query) return reply.code(400).send({ error: query.faults.join('; ') });
      const { seconds, format } = query;
      const lastMs = seconds === undefined ? undefined : seconds * 1000;
      const past = this.deps.triggers.past(request.params.id, lastMs);
      if (!past) return reply.code(404).send({ error: noTrigger });
      return format === 'csv'
        ? reply.type('text/csv; charset=utf-8').send(historyCsv(past))
        : reply.send(historyView(past));
    });
  }

  private addStatusPage(): void {
    const { triggers, details } = this.deps;
    const deps: StatusPageDeps = {
      past: (id, lastMs) => triggers.past(id, lastMs),
      details,
      live: this.live,
      may: (authorization) => this.may(authorization),
      lasts: ({ raw }) => this.sockets.allow(raw, undefined),
    };
    addStatusPage(this.app, deps, { askForToken: this.askForToken, takePage: this.takePage });
  }

  private async *metricsPage(): AsyncGenerator<string> {
    yield await this.deps.exposition();
    yield* triggerSeries(this.deps.triggers);
  }

  private may(authorization: string | undefined): boolean {
    const token = this.deps.token();
    return token === undefined || bears(authorization, token);
  }

  private readonly askForToken = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (this.may(request.headers.authorization)) return;
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({ error: 'needs the bearer token of admin.tokenFile' });
  };

  /** A slow reader goes for the next one; while all are quick, the next one is asked to come back. */
  private readonly takePage = async (_: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const nowMs = performance.now();
    if (this.pages.size >= maxPagesAtOnce && !this.cutSlowest(nowMs)) {
      await reply.code(503).header('retry-after', '1').send({ error: 'too many readers at once' });
      return;
    }
    this.pages.set(reply, nowMs);
    // Also comes when the reader hangs up in the middle.
    reply.raw.once('close', () => this.pages.delete(reply));
  };

  private cutSlowest(nowMs: number): boolean {
    const [slowest] = this.pages;
    if (slowest === undefined || nowMs - slowest[1] < this.times.pageMs) return false;
    const [reply] = slowest;
    this.pages.delete(reply);
    reply.raw.destroy();
    return true;
  }
}
