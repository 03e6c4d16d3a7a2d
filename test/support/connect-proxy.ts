import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { listen } from '../../fakes/ports.ts';

export interface ConnectProxy {
  readonly url: string;
  /** The requests: `CONNECT sqs.eu-central-1.amazonaws.com:443`, `GET http://tokens.test/`. */
  readonly asked: string[];
  /** The `Proxy-Authorization` of each request. */
  readonly authorizations: (string | undefined)[];
  /** How many sockets of clients are open now. */
  readonly open: number;
  /** How it treats later requests. */
  behave(as: 'well' | 'refusing' | 'silent' | 'silent after its yes'): void;
}

/**
 * A forward proxy (CONNECT for TLS, absolute addresses for plain HTTP). Only the proxy knows where the hosts are, so
 * that without it nothing can be reached. `ports` has the port on 127.0.0.1 by host name.
 */
export async function connectProxy(ports: Readonly<Record<string, number>>): Promise<ConnectProxy> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const open = new Set<Duplex>();
  let behaviour = 'well';
  const note = ({ method, url, headers }: IncomingMessage): number | undefined => {
    asked.push(`${method} ${url}`);
    authorizations.push(headers['proxy-authorization']);
    const host = new URL(method === 'CONNECT' ? `https://${url}` : `${url}`).hostname;
    return ports[host];
  };
  const server = createServer((request, response) => {
    const port = note(request);
    if (behaviour === 'silent') return;
    if (behaviour === 'refusing' || port === undefined) return void response.writeHead(407).end();
    const { method, headers } = request;
    const { pathname, search } = new URL(`${request.url}`);
    const onward = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path: pathname + search,
      headers,
      agent: false,
    });
    onward.on('response', (answer) =>
      answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers)),
    );
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, near: Socket) => {
    const port = note(request);
    near.on('end', () => near.destroy()).resume();
    if (behaviour === 'silent') return;
    if (behaviour === 'refusing' || port === undefined) {
      near.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    near.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (behaviour === 'silent after its yes') return;
    const far = connect(port, '127.0.0.1');
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    far.pipe(near).pipe(far);
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    url: `http://scaler:s3cret@127.0.0.1:${port}`,
    asked,
    authorizations,
    get open() {
      return open.size;
    },
    behave: (as) => {
      behaviour = as;
    },
  };
}
