import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
}

/** An answer, or what to do with the socket. */
export type Reply =
  | { status?: number; headers?: Record<string, string>; body?: unknown }
  | ((response: ServerResponse) => void);

export type Script = (seen: Seen) => Reply;

/** An HTTP server on the loopback that answers as the test says, and keeps the requests. */
export class ScriptedGitHub {
  readonly seen: Seen[] = [];
  script: Script;
  private readonly server: Server;

  private constructor(script: Script) {
    this.script = script;
    this.server = createServer((request, response) => this.answer(request, response));
  }

  static async start(script: Script): Promise<ScriptedGitHub> {
    const github = new ScriptedGitHub(script);
    await new Promise<void>((resolve) => github.server.listen(0, '127.0.0.1', resolve));
    return github;
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** `GET /path?query` of each request, in order. */
  get asked(): string[] {
    return this.seen.map(({ method, path, query }) => {
      const search = decodeURIComponent(query.toString());
      return `${method} ${path}${search === '' ? '' : `?${search}`}`;
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
    const seen = { method: request.method ?? '', path, query, headers: request.headers };
    this.seen.push(seen);
    const reply = this.script(seen);
    if (typeof reply === 'function') {
      reply(response);
      return;
    }
    const { status = 200, headers = {}, body = {} } = reply;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(status === 304 ? undefined : text);
  }
}
