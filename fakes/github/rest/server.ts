import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Dispatched, dispatch } from './dispatch.ts';
import { Recorder } from './recorder.ts';
import type { Backend } from './request.ts';

/** A request and its answer, for an oracle to check. */
export interface Exchange {
  readonly method: string;
  /** Without the prefix. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly statusCode: number;
  readonly link: string | undefined;
  readonly location: string | undefined;
  /** The body that was sent. Empty for a 304. */
  readonly text: string;
}

const page = '<html><body><h1>Unicorn!</h1></body></html>';

/** GitHub's REST API over HTTP on 127.0.0.1. */
export class RestServer {
  readonly recorder = new Recorder();
  readonly observers = new Set<(exchange: Exchange) => void>();
  private readonly prefix: string;
  private readonly server: Server;
  private backend: Backend | undefined;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.server = createServer((request, response) => this.take(request, response));
    this.server.keepAliveTimeout = 30_000;
  }

  /** Resolves with the port. Requests are answered once `serve` is called. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    return address.port;
  }

  serve(backend: Backend): void {
    this.backend = backend;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const { backend } = this;
    if (backend === undefined) return void response.destroy();
    const { faults } = backend;
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', backend.urls.api);
    if (!url.pathname.startsWith(this.prefix)) {
      // Beside its API an Enterprise Server has pages for people.
      response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end(page);
      return;
    }
    const path = url.pathname.slice(this.prefix.length);
    if (faults.hang || faults.reset) {
      this.recorder.add({ method, path: path + url.search, status: 0, tokenKind: 'none' }, undefined);
      if (faults.reset) request.socket.resetAndDestroy();
      return;
    }
    const { authorization } = request.headers;
    const dispatched = dispatch(backend, { method, url, path, authorization });
    const { statusCode, text } = this.send(backend, dispatched, request, response);
    const { caller, template, answer } = dispatched;
    const tokenKind = caller?.kind ?? 'none';
    this.recorder.add({ method, path: path + url.search, status: statusCode, tokenKind }, template);
    const { link, location } = answer.headers ?? {};
    for (const observe of this.observers)
      observe({ method, path, query: url.searchParams, statusCode, link, location, text });
  }

  private send(
    { world, limits, faults }: Backend,
    { answer, caller, template }: Dispatched,
    request: IncomingMessage,
    response: ServerResponse,
  ): { statusCode: number; text: string } {
    response.sendDate = false;
    const json = faults.garbage ? page : JSON.stringify(answer.body);
    const etag = `W/"${createHash('sha256')
      .update(caller?.credential ?? '')
      .update(json)
      .digest('hex')}"`;
    const cacheable = request.method === 'GET' && answer.statusCode === 200;
    const fresh = cacheable && request.headers['if-none-match'] === etag;
    if (caller !== undefined && !fresh && template !== '/rate_limit') limits.count(caller);
    const statusCode = fresh ? 304 : answer.statusCode;
    response.writeHead(statusCode, {
      date: new Date(world.now()).toUTCString(),
      'content-type': faults.garbage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
      'x-github-request-id': randomUUID(),
      'x-github-media-type': 'github.v3; format=json',
      ...(cacheable ? { etag, 'cache-control': 'private, max-age=60, s-maxage=60' } : {}),
      ...(caller === undefined ? {} : limits.headers(caller)),
      ...answer.headers,
    });
    const text = fresh ? '' : json;
    response.end(text);
    return { statusCode, text };
  }
}
