import type { Server as HttpServer, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';

/** How long a call is let be before its socket has to go for a new one, while there are idle ones of trusted callers. */
const patienceMs = 1_000;

interface Busy {
  underWay: number;
  readonly sinceMs: number;
}

/**
 * The open sockets of a port, never more than a bound. A new one always gets in. If the port is full, the
 * socket with the longest idle time is closed. If none is idle, it is the one with the fewest calls (KEDA has all its
 * streams on one connection), then the longest busy one. So open sockets never block probes or use up descriptors.
 *
 * A socket is trusted after its caller has authenticated. Untrusted sockets, even slow busy ones, are closed before idle
 * trusted ones. Otherwise a client that opens many would close those that others will use again.
 */
export class Sockets {
  private readonly most: number;
  /** All in the order in which they became so. */
  private readonly idle = new Set<Socket>();
  private readonly trustedIdle = new Set<Socket>();
  private readonly busy = new Map<Socket, Busy>();
  private readonly trusted = new WeakSet<Socket>();
  private readonly late = new WeakMap<ServerResponse, NodeJS.Timeout>();

  /** `server`: one that does not listen yet. */
  constructor(server: Server, most: number) {
    this.most = most;
    server.on('connection', (socket) => this.add(socket));
  }

  get size(): number {
    return this.idle.size + this.trustedIdle.size + this.busy.size;
  }

  /** A call begins on a socket. */
  begin(socket: Socket): void {
    const busy = this.busy.get(socket);
    if (busy !== undefined) busy.underWay += 1;
    else if (this.idle.delete(socket) || this.trustedIdle.delete(socket)) {
      this.busy.set(socket, { underWay: 1, sinceMs: performance.now() });
    }
  }

  /** A call has ended, in whatever way. */
  end(socket: Socket): void {
    const busy = this.busy.get(socket);
    if (busy === undefined) return;
    busy.underWay -= 1;
    if (busy.underWay > 0) return;
    this.busy.delete(socket);
    (this.trusted.has(socket) ? this.trustedIdle : this.idle).add(socket);
  }

  /** The answer to a request of HTTP/1.1 begins. Its socket is closed if all of it is not read within `answerMs`. */
  answer(response: ServerResponse, answerMs: number): void {
    const { socket } = response.req;
    this.begin(socket);
    this.allow(response, answerMs);
    // Also comes when the reader hangs up in the middle.
    response.once('close', () => {
      this.allow(response, undefined);
      this.end(socket);
    });
  }

  /** How long a client may take to read an answer. `undefined`: the answer is endless, and its sender bounds it. */
  allow(response: ServerResponse, answerMs: number | undefined): void {
    clearTimeout(this.late.get(response));
    this.late.delete(response);
    if (answerMs !== undefined) {
      this.late.set(
        response,
        setTimeout(() => response.req.socket.destroy(), answerMs),
      );
    }
  }

  /** A caller has shown who they are, during a call on the socket. */
  trust(socket: Socket): void {
    this.trusted.add(socket);
  }

  closeAll(): void {
    for (const socket of [...this.idle, ...this.trustedIdle, ...this.busy.keys()]) socket.destroy();
  }

  private add(socket: Socket): void {
    if (this.size >= this.most) this.makeRoom();
    this.idle.add(socket);
    socket.once('close', () => this.forget(socket));
  }

  private makeRoom(): void {
    const [longestIdle] = this.idle;
    const [trustedIdle] = this.trustedIdle;
    const leaving = longestIdle ?? (trustedIdle && (this.slowest() ?? trustedIdle)) ?? this.leastBusy();
    if (leaving === undefined) return;
    this.forget(leaving);
    leaving.destroy();
  }

  /** Of those that are not trusted and have had their time. */
  private slowest(): Socket | undefined {
    const beforeMs = performance.now() - patienceMs;
    for (const [socket, { sinceMs }] of this.busy) {
      if (sinceMs > beforeMs) return undefined;
      if (!this.trusted.has(socket)) return socket;
    }
    return undefined;
  }

  private leastBusy(): Socket | undefined {
    let least: Socket | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [socket, { underWay }] of this.busy) {
      if (underWay >= fewest) continue;
      fewest = underWay;
      least = socket;
    }
    return least;
  }

  private forget(socket: Socket): void {
    this.idle.delete(socket);
    this.trustedIdle.delete(socket);
    this.busy.delete(socket);
  }
}

/** Bounds the sockets of an HTTP/1.1 server, and the time of each answer. */
export function boundHttp(server: HttpServer, bounds: { most: number; answerMs: number }): Sockets {
  const sockets = new Sockets(server, bounds.most);
  server.on('request', (_, response) => sockets.answer(response, bounds.answerMs));
  return sockets;
}

const noSchemas = () => () => {
  throw new Error('no route has a schema');
};

/** Fastify's `schemaController`: no route of ours has a schema, and what compiles them is a tenth of the start. */
export const withoutSchemas = { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } };
