import { once } from 'node:events';
import {
  createServer,
  type Server as HttpServer,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import {
  type AddressInfo,
  createServer as createDoor,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { boundHttp, type Sockets } from '../sockets.ts';
import { FairTurns } from '../turns.ts';
import { addressOf } from './inflight.ts';

/** Where it listens. */
export interface IngestAddress {
  readonly host: string;
  readonly port: number;
  /** The most connections at a time; see Sockets. */
  readonly maxConnections: number;
}

/** In ms. */
export interface PortTimes {
  /** The longest that a request's head may take. */
  readonly headMs: number;
  /** The same for all of it. GitHub does not wait longer than 10 s (docs.github.com, "Handling failed webhook deliveries"). */
  readonly requestMs: number;
  /** How long it may take from the head of a request until its sender has the whole answer. */
  readonly answerMs: number;
  /** How often the first two are checked. */
  readonly checkMs: number;
  /** How long a connection may wait for its next request: longer than load balancers do, so that none sends into a closing one. */
  readonly idleMs: number;
}

/** Only Linux spreads the connections of a port over the sockets that listen on it. */
const reusePort = process.platform === 'linux';
/**
 * How many sockets listen. From each, libuv takes one connection in a turn of the event loop (its pull request 3696). With
 * a single one, who comes after a thousand others waits for a thousand turns.
 */
const doors = reusePort ? 16 : 1;
/** The system spreads evenly only on average. */
const roomForChance = reusePort ? 2 : 1;
/** Counted here: Node would go on reading, and answer each further one with 503. */
const maxRequestsPerConnection = 1000;
/** How many requests begin in one turn of the event loop. */
const begunPerTurn = 2;
/** So many bytes, or pieces, count as much as a request that begins. */
const bytesPerRequest = 32 * 1024;
const piecesPerRequest = 16;
/** The most that is parsed in one go, where it may be small requests or chunks: the smallest have 18 bytes, and 6. */
const pieceBytes = 128;
/** How many of a connection may wait for their answers; more are not read (RFC 9112 §9.3.2 lets a sender go on before). */
const mostUnanswered = 16;

/**
 * A port that may face the internet: how connections and requests come in. Senders have their turns one address after the
 * other, in small pieces, so that what one of them sends at once holds up nobody else.
 */
export class IngestPort {
  readonly sockets: Sockets;
  private readonly server: HttpServer;
  private readonly doors: readonly Server[];
  private readonly backlog: number;
  private readonly turns = new FairTurns(begunPerTurn);
  private readonly underWay = new UnderWay();

  /** Each request is given to `handle`, which must not throw. */
  constructor(handle: RequestListener, maxConnections: number, times: PortTimes) {
    const server = createServer({
      headersTimeout: times.headMs,
      requestTimeout: times.requestMs,
      keepAliveTimeout: times.idleMs,
      connectionsCheckingInterval: times.checkMs,
      // Node answers such requests itself, and nobody would count them.
      requireHostHeader: false,
    });
    server.setTimeout(times.requestMs);
    // A sender may close its side as soon as it has sent. Node's types lack this.
    Object.assign(server, { httpAllowHalfOpen: true });
    this.server = server;
    this.sockets = boundHttp(server, { most: maxConnections, answerMs: times.answerMs });
    // As many as may be open can come at once; those that do not fit would try again after a second.
    this.backlog = Math.ceil((maxConnections * roomForChance) / doors);
    const take = (socket: Socket) => server.emit('connection', socket);
    // As node:http opens its own.
    this.doors = Array.from({ length: doors }, () =>
      createDoor({ allowHalfOpen: true, noDelay: true }, take),
    );
    this.takeRequests(handle);
  }

  /** Resolves with the port; rejects with what the system says where it cannot be had. Then it must be closed. */
  async listen({ host, port }: Pick<IngestAddress, 'host' | 'port'>): Promise<number> {
    // By `reusePort` a second process would get a part of the connections, and nobody would notice.
    const alone = createDoor();
    await opened(alone, { host, port });
    await once(alone.close(), 'close');
    let given = port;
    for (const door of this.doors) {
      given = await opened(door, { host, port: given, backlog: this.backlog, reusePort });
    }
    // From then on node:http checks the times.
    this.server.emit('listening');
    return given;
  }

  /** Takes no new connection; requests that are under way have so long to end, and are then cut off. */
  async drain(limitMs: number): Promise<void> {
    const closed = this.doors.map((door) => door.listening && once(door.close(), 'close'));
    // By the second one everything that has come is read.
    for (let turn = 0; turn < 2; turn += 1) await setImmediate();
    const limit = new AbortController();
    const late = setTimeout(limitMs, undefined, { signal: limit.signal });
    await Promise.race([this.underWay.none(), late]).finally(() => limit.abort());
    this.sockets.closeAll();
    await Promise.all(closed);
    this.server.close();
  }

  private takeRequests(handle: RequestListener): void {
    const connections = new WeakMap<Socket, Connection>();
    this.server.on('connection', (socket) => {
      connections.set(socket, new Connection(socket, { turns: this.turns, underWay: this.underWay }));
    });
    this.server.on('request', (request, response) => {
      const isServed = connections.get(request.socket)?.begin(response);
      if (isServed !== true) return;
      const { headers, httpVersion } = request;
      if (headers.host !== undefined || httpVersion !== '1.1') handle(request, response);
      // RFC 9112, section 3.2.
      else response.writeHead(400, { connection: 'close' }).end();
    });
    // Of what Node does not know, an answer is as good as a refusal (RFC 9110, section 10.1.1).
    this.server.on('checkExpectation', (request, response) => this.server.emit('request', request, response));
  }
}

async function opened(door: Server, options: ListenOptions): Promise<number> {
  door.listen(options);
  await once(door, 'listening');
  // Of a server that listens on a port.
  return (door.address() as AddressInfo).port;
}

interface Shared {
  readonly turns: FairTurns;
  readonly underWay: UnderWay;
}

/**
 * Gives Node's parser what comes on a connection piece by piece, each in its turn. By itself it parses a whole read, 64 KiB
 * with up to three thousand requests, and cannot be stopped in the middle.
 *
 * What waits for its turn stays in the socket's own buffer, which has its own bound.
 */
class Connection {
  private readonly socket: Socket;
  private readonly shared: Shared;
  private readonly sender: string;
  /** Whether it waits for a turn; whether it has one. */
  private isWaiting = false;
  private isReading = false;
  /** Whether nothing is read until an answer has gone out. */
  private isHeld = false;
  /** How many requests have begun in this turn, and how much of the last one's body is surely still to come. */
  private begun = 0;
  private bodyBytes = 0;
  private requests = 0;
  /** Whether the connection closes after a request that has begun. */
  private isLast = false;
  /** Of each request without an answer, what ends it. */
  private readonly unanswered = new Set<() => void>();

  /** `socket`: one that Node's server has just got. */
  constructor(socket: Socket, shared: Shared) {
    this.socket = socket;
    this.shared = shared;
    this.sender = addressOf(socket.remoteAddress);
    // The one listener of the server itself (Node 24, lib/_http_server.js, connectionListenerInternal).
    const [parse] = socket.listeners('data') as ((piece: Buffer) => void)[];
    if (parse === undefined) throw new Error('Node parses requests in another way than this was written for');
    socket.off('data', parse).on('data', (bytes: Buffer) => {
      if (this.isReading) {
        parse(bytes);
        this.bodyBytes -= bytes.length;
        return;
      }
      socket.pause();
      socket.unshift(bytes);
      this.ask();
    });
    // Answers that wait behind others do not hear of it.
    socket.once('close', () => {
      for (const ended of this.unanswered) this.end(ended);
    });
  }

  /** A request has begun. Returns whether it is served: none is behind one after which the connection closes. */
  begin(response: ServerResponse): boolean {
    const { headers } = response.req;
    const ended = this.shared.underWay.begin();
    this.unanswered.add(ended);
    response.once('close', () => this.end(ended));
    this.begun += 1;
    this.bodyBytes = Number(headers['content-length'] ?? 0);
    if (this.isLast) return false;
    this.requests += 1;
    // Node drops what has come behind a request for another protocol, up to anywhere in the next one.
    this.isLast = this.requests === maxRequestsPerConnection || headers.upgrade !== undefined;
    if (this.isLast) response.shouldKeepAlive = false;
    return true;
  }

  private end(ended: () => void): void {
    if (this.unanswered.delete(ended)) ended();
    if (!this.isHeld) return;
    this.isHeld = false;
    this.socket.resume();
  }

  private ask(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    const ended = this.shared.underWay.begin();
    this.shared.turns.add(this.sender, () => {
      this.isWaiting = false;
      const did = this.read();
      ended();
      return did;
    });
  }

  /** Returns how many requests have begun, with the weight of the pieces. */
  private read(): number {
    const { socket } = this;
    if (socket.destroyed || isStopped(socket)) return 0;
    this.isHeld = this.unanswered.size >= mostUnanswered;
    if (this.isHeld) return 0;
    // It flows again after this turn, unless the parser pauses it meanwhile: a body may have to wait for its reader.
    socket.resume();
    this.isReading = true;
    this.begun = 0;
    let weight = 0;
    while (this.hasMore && this.begun + weight < begunPerTurn) {
      const length = Math.min(Math.max(pieceBytes, this.bodyBytes), socket.readableLength);
      socket.read(length);
      weight += 1 / piecesPerRequest + length / bytesPerRequest;
    }
    this.isReading = false;
    if (this.hasMore) this.ask();
    return this.begun + weight;
  }

  private get hasMore(): boolean {
    return this.socket.readableLength > 0 && !this.socket.isPaused() && !this.socket.destroyed;
  }
}

/** Node reads no further while too many bytes of answers wait, and resumes the socket itself. Node's types lack this. */
function isStopped(socket: Socket & { _paused?: boolean }): boolean {
  return socket._paused === true;
}

/** Counts what is under way, for those who wait until nothing is. */
class UnderWay {
  private count = 0;
  private waiting: (() => void)[] = [];

  /** Begins one; the returned function ends it. */
  begin(): () => void {
    this.count += 1;
    return () => {
      this.count -= 1;
      if (this.count > 0) return;
      for (const done of this.waiting.splice(0)) done();
    };
  }

  none(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
