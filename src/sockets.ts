import type { Server as HttpServer, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';

/** How long a socket is let be before it has to go for a new one: to begin a call, or to end one. */
const patienceMs = 1_000;

export interface SocketBounds {
  /** The most sockets. */
  readonly most: number;
  /** Whether each call ends in a while, whatever its caller does; else it may be a stream that is meant to stay. */
  readonly callsEnd: boolean;
}

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
 * trusted ones. Otherwise a client that opens many would close those that others will use again. Where calls end and most
 * sockets are busy, slow ones of these are closed before those that have just come. Otherwise newcomers would close each
 * other before they can ask.
 */
export class Sockets {
  private readonly bounds: SocketBounds;
  /** All in the order in which they became so; of those that are not trusted, when. */
  private readonly idle = new Map<Socket, number>();
  private readonly trustedIdle = new Set<Socket>();
  private readonly busy = new Map<Socket, Busy>();
  private readonly trusted = new WeakSet<Socket>();
  private readonly late = new WeakMap<ServerResponse, NodeJS.Timeout>();

  /** `server`: one that does not listen yet. */
  constructor(server: Server, bounds: SocketBounds) {
    this.bounds = bounds;
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
    if (this.trusted.has(socket)) this.trustedIdle.add(socket);
    else this.idle.set(socket, performance.now());
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
    for (const socket of [...this.idle.keys(), ...this.trustedIdle, ...this.busy.keys()]) socket.destroy();
  }

  private add(socket: Socket): void {
    if (this.size >= this.bounds.most) this.makeRoom();
    this.idle.set(socket, performance.now());
    socket.once('close', () => this.forget(socket));
  }

  private makeRoom(): void {
    const [[longestIdle, sinceMs] = []] = this.idle;
    const [trustedIdle] = this.trustedIdle;
    const beforeMs = performance.now() - patienceMs;
    const isYoung = sinceMs !== undefined && sinceMs > beforeMs;
    const isCrowded = this.bounds.callsEnd && 2 * this.busy.size > this.bounds.most;
    const leaving =
      (isYoung && isCrowded ? this.slowest(beforeMs) : undefined) ??
      longestIdle ??
      (trustedIdle && (this.slowest(beforeMs) ?? trustedIdle)) ??
      this.leastBusy();
    if (leaving === undefined) return;
    this.forget(leaving);
    leaving.destroy();
  }

  /** Of those that are not trusted and have begun before a time. */
  private slowest(beforeMs: number): Socket | undefined {
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

/** Bounds the sockets of an HTTP/1.1 server. One on which an answer is not read within `answerMs` is closed. */
export function boundHttp(
  server: HttpServer,
  { most, answerMs }: { most: number; answerMs: number },
): Sockets {
  const sockets = new Sockets(server, { most, callsEnd: true });
  server.on('request', ({ socket }, response) => {
    sockets.begin(socket);
    sockets.allow(response, answerMs);
    // Also comes when the reader hangs up in the middle.
    response.once('close', () => {
      sockets.allow(response, undefined);
      sockets.end(socket);
    });
  });
  return sockets;
}

const noSchemas = () => () => {
  throw new Error('no route has a schema');
};

/** Fastify's `schemaController`: no route of ours has a schema, and what compiles them is a tenth of the start. */
export const withoutSchemas = { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } };
