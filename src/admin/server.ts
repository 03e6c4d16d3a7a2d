import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify } from 'fastify';
import { bears } from '../bearer.ts';
import { ScalerError } from '../errors.ts';
import { parsePageQuery } from './page-query.ts';
import { triggerPage } from './trigger-page.ts';
import type { TriggerBoard } from './trigger-series.ts';
import { triggerSeries } from './trigger-series.ts';

export interface Readiness {
  ready: boolean;
  /** Each thing readiness waits for, and whether it is there. */
  checks: Readonly<Record<string, boolean>>;
}

export interface AdminDeps {
  /** The series that are not of one trigger, as text. */
  exposition(): Promise<string>;
  board: TriggerBoard;
  readiness(): Readiness;
  /** The bearer token that is asked for now; undefined: none. */
  token(): string | undefined;
}

export interface ListenAddress {
  host: string;
  port: number;
}

/** A page is kept in memory until its reader has taken it; more readers than this are asked to come back. */
const maxPagesAtOnce = 4;

/** Metrics, probes and readings, for people and Prometheus. Nothing here reads a source. */
export class AdminServer {
  private readonly deps: AdminDeps;
  private readonly app: FastifyInstance;
  private pages = 0;

  constructor(deps: AdminDeps) {
    this.deps = deps;
    this.app = fastify({
      logger: false,
      forceCloseConnections: true,
      requestTimeout: 10_000,
      bodyLimit: 1024,
    });
    this.addProbes();
    this.addPages();
    this.app.setNotFoundHandler((_, reply) =>
      reply.code(404).send({ error: 'nothing is here; see /metrics, /api/triggers, /readyz and /livez' }),
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

  async close(): Promise<void> {
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
    const onRequest = [this.askForToken, this.boundPages];
    this.app.get('/metrics', { onRequest }, (_, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(Readable.from(this.metricsPage())),
    );
    this.app.get('/api/triggers', { onRequest }, async (request, reply) => {
      const query = parsePageQuery(request.query);
      if ('fault' in query) return reply.code(400).send({ error: query.fault });
      return triggerPage(this.deps.board, query);
    });
  }

  private async *metricsPage(): AsyncGenerator<string> {
    yield await this.deps.exposition();
    yield* triggerSeries(this.deps.board);
  }

  private readonly askForToken = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const token = this.deps.token();
    if (token === undefined || bears(request.headers.authorization, token)) return;
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({ error: 'needs the bearer token of admin.tokenFile' });
  };

  private readonly boundPages = async (_: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (this.pages >= maxPagesAtOnce) {
      await reply.code(503).header('retry-after', '5').send({ error: 'too many readers at once' });
      return;
    }
    this.pages += 1;
    // Also comes when the reader hangs up in the middle.
    reply.raw.once('close', () => {
      this.pages -= 1;
    });
  };
}
