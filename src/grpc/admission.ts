import {
  constants,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ScalerError } from '../errors.ts';
import { Sockets } from '../sockets.ts';
import type { Logger } from '../telemetry/log.ts';
import { FewAMinute } from '../telemetry/log.ts';
import { type Status, toStatus } from './status.ts';
import { certificateNames } from './tls.ts';

export interface AdmissionSettings {
  readonly maxConnections: number;
  readonly maxStreams: number;
  readonly maxStreamsPerConnection: number;
  readonly maxCalls: number;
  /** A client's certificate must have one of these names. Undefined allows every name. */
  readonly allowedClientNames: readonly string[] | undefined;
}

export interface AdmissionDeps {
  readonly log: Logger;
  /** Called for each refused call. */
  refused(method: string, status: Status): void;
  /** Resolves when grpc-js knows the reflection service: it is only loaded for who calls it. */
  addReflection(): Promise<void>;
}

/** In ms; tests shorten them. */
export interface AdmissionTimes {
  /** How long a call may last, except KEDA's streams and Watch once their request is there. Answers come from memory. */
  readonly callMs: number;
  /** How long a call is not cut for a new one. Longer than the default wait for a cold read. */
  readonly patienceMs: number;
}

export const admissionTimes: AdmissionTimes = { callMs: 60_000, patienceMs: 5_000 };

/** What bounds one kind of calls. */
interface Kind {
  readonly most: number;
  readonly mostPerConnection: number;
  /** Whether it ends after `callMs`. */
  readonly timed: boolean;
  /** The message beyond the bound. */
  readonly full: string;
  open: number;
}

/** One that ends in time, or whose request has not come whole. */
interface Call {
  readonly of: Kind;
  readonly stream: ServerHttp2Stream;
  readonly sinceMs: number;
  /** What is kept of its request. */
  bytes: number;
  cut: boolean;
  isListed: boolean;
  older: Call | undefined;
  newer: Call | undefined;
}

/** How much of all requests may be kept. Beyond it the largest call is cut: KEDA's are small. */
const mostBytes = 64 * 1024 * 1024;
/** Of one part of a request, besides its text. */
const partBytes = 256;
/**
 * Of the headers of a call: gRPC's own default. The server's settings say so, and HTTP/2 refuses more once the client has
 * acknowledged them. V8 does not know how much memory headers take, so that those of refused calls would pile up.
 */
export const mostHeaderBytes = 8 * 1024;

interface Connection {
  /** Why its client may not call. */
  readonly denied: ScalerError | undefined;
  readonly socket: Socket | undefined;
  readonly open: Map<Kind, number>;
}

const watchPath = '/grpc.health.v1.Health/Watch';
const reflectionPaths = '/grpc.reflection.';
const streamPaths = ['StreamIsActive', 'StreamMetricSpec'].map(
  (rpc) => `/externalscaler.ExternalScaler/${rpc}`,
);

/**
 * Admits or refuses a call before grpc-js looks for its handler or reads a byte of its message. This covers every method
 * of every service, and unknown methods. It stands between HTTP/2 and grpc-js, because interceptors of grpc-js 1.14.7
 * see only known methods, and can neither see a call's end nor cut it.
 */
export class Admission {
  private readonly settings: AdmissionSettings;
  private readonly deps: AdmissionDeps;
  private readonly times: AdmissionTimes;
  private readonly connections = new WeakMap<Http2Session, Connection>();
  private readonly few = new FewAMinute(1, () => performance.now());
  private readonly streams: Kind;
  private readonly calls: Kind;
  private readonly watches = kind(1_000, 10, false, 'too many health watches are open');
  private readonly reflections = kind(8, 4, true, 'too many reflection streams are open');
  private readonly listed = new Calls();
  /** What is kept of the requests of all of them. */
  private bytes = 0;
  private readonly sweeper: NodeJS.Timeout;

  constructor(settings: AdmissionSettings, deps: AdmissionDeps, times: AdmissionTimes = admissionTimes) {
    this.settings = settings;
    this.deps = deps;
    this.times = times;
    const { maxStreams, maxStreamsPerConnection, maxCalls } = settings;
    const full = `the bound of open streams is reached: grpc.maxStreams (${maxStreams}), grpc.maxStreamsPerConnection (${maxStreamsPerConnection})`;
    this.streams = kind(maxStreams, maxStreamsPerConnection, false, full);
    const busy = `too many calls are under way: grpc.maxCalls (${maxCalls})`;
    this.calls = kind(maxCalls, maxCalls, true, busy);
    this.sweeper = setInterval(() => this.cutLate(), Math.min(5_000, times.callMs)).unref();
  }

  /** Takes its place before grpc-js on a server that has just begun to listen. */
  guard(server: Http2Server): Sockets {
    const [toGrpc, ...others] = server.listeners('stream');
    if (toGrpc === undefined || others.length > 0)
      throw new Error('grpc-js has changed: it hears streams otherwise');
    const sockets = new Sockets(server, { most: this.settings.maxConnections, callsEnd: false });
    const byPeer = new Map<string, Socket>();
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      byPeer.set(peer, socket);
      socket.once('close', () => byPeer.delete(peer));
    });
    server.removeAllListeners('stream');
    server.on('stream', (stream, headers) => {
      const path = headers[':path'] ?? '';
      const connection = this.connectionOf(stream, byPeer);
      const call = connection && this.admitted(headers, stream, connection, sockets);
      if (call === undefined) return;
      const begin = (): void => {
        if (stream.destroyed) return;
        toGrpc(stream, headers);
        // What is no method is not read, and has its answer.
        if (stream.listenerCount('data') > 0) this.receive(call);
      };
      if (!path.startsWith(reflectionPaths)) return begin();
      void this.deps
        .addReflection()
        .then(
          begin,
          (reason: unknown) => stream.destroyed || this.refuse(path, stream, ScalerError.from(reason)),
        );
    });
    return sockets;
  }

  /** Ends calls that could delay a drain. */
  drain(): void {
    clearInterval(this.sweeper);
    for (const call of this.listed) if (call.of === this.reflections) cut(call);
  }

  /** How many calls are open, of all kinds. */
  get open(): number {
    return this.streams.open + this.calls.open + this.watches.open + this.reflections.open;
  }

  private connectionOf(
    stream: ServerHttp2Stream,
    byPeer: ReadonlyMap<string, Socket>,
  ): Connection | undefined {
    const { session } = stream;
    // Its connection has gone meanwhile.
    if (session === undefined || session.destroyed) return undefined;
    const known = this.connections.get(session);
    if (known !== undefined) return known;
    const socket = byPeer.get(peerOf(session.socket));
    const connection = { denied: this.denied(session), socket, open: new Map<Kind, number>() };
    this.connections.set(session, connection);
    return connection;
  }

  private denied({ socket }: Http2Session): ScalerError | undefined {
    const { allowedClientNames: allowed } = this.settings;
    if (allowed === undefined) return undefined;
    const names =
      socket instanceof TLSSocket && socket.authorized ? certificateNames(socket.getPeerCertificate()) : [];
    if (names.some((name) => allowed.includes(name))) return undefined;
    return new ScalerError(
      'denied',
      `the client's certificate is for ${names.join(', ') || 'no name'}; grpc.tls.allowedClientNames allows ${allowed.join(', ')}`,
    );
  }

  /** The call that begins. Undefined if it is refused. */
  private admitted(
    headers: IncomingHttpHeaders,
    stream: ServerHttp2Stream,
    connection: Connection,
    sockets: Sockets,
  ): Call | undefined {
    const path = headers[':path'] ?? '';
    const of = this.kindOf(path);
    if (connection.denied !== undefined) return this.refuse(path, stream, connection.denied);
    const headerBytes = bytesOf(headers);
    if (headerBytes > mostHeaderBytes) {
      this.say(`connections are closed, since the headers of a call have more than ${mostHeaderBytes} bytes`);
      stream.session?.destroy();
      return undefined;
    }
    const here = connection.open.get(of) ?? 0;
    if (here >= of.mostPerConnection || (of.open >= of.most && !(of === this.calls && this.cutOldest()))) {
      this.say(of.full, { open: of.open });
      return this.refuse(path, stream, new ScalerError('exhausted', of.full));
    }
    of.open += 1;
    connection.open.set(of, here + 1);
    if (connection.socket !== undefined) sockets.begin(connection.socket);
    const call = this.listed.add(of, stream);
    this.count(call, headerBytes);
    // Comes once. Not `once`: it keeps two objects more, for each of tens of thousands.
    stream.on('close', () => {
      of.open -= 1;
      connection.open.set(of, (connection.open.get(of) ?? 1) - 1);
      if (connection.socket !== undefined) sockets.end(connection.socket);
      this.forget(call);
    });
    return call;
  }

  /** Counts what comes of a request, until all of it is there. */
  private receive(call: Call): void {
    const { of, stream } = call;
    let { bytes } = call;
    const part = (data: Buffer): void => {
      bytes += data.length;
      // A part of one byte keeps everything that was read of the socket with it.
      this.count(call, data.buffer.byteLength + partBytes);
    };
    const whole = (): void => {
      stream.off('data', part);
      stream.off('end', whole);
      if (of.timed) this.count(call, bytes - call.bytes);
      else this.forget(call);
    };
    stream.on('data', part);
    stream.on('end', whole);
  }

  private count(call: Call, bytes: number): void {
    if (!call.isListed) return;
    call.bytes += bytes;
    this.bytes += bytes;
    if (this.bytes > mostBytes) this.cutLargest();
  }

  private forget(call: Call): void {
    if (!call.isListed) return;
    this.bytes -= call.bytes;
    this.listed.delete(call);
  }

  private cutLargest(): void {
    let largest: Call | undefined;
    for (const call of this.listed) if (call.bytes > (largest?.bytes ?? 0)) largest = call;
    if (largest === undefined) return;
    this.say('the requests of all calls together are too large: the largest are cut');
    this.forget(largest);
    cut(largest);
    // At once, also where its client reads nothing.
    largest.stream.destroy();
  }

  private kindOf(path: string): Kind {
    if (streamPaths.includes(path)) return this.streams;
    if (path === watchPath) return this.watches;
    return path.startsWith(reflectionPaths) ? this.reflections : this.calls;
  }

  private refuse(path: string, stream: ServerHttp2Stream, reason: ScalerError): undefined {
    const status = toStatus(reason);
    this.deps.refused(path.slice(path.lastIndexOf('/') + 1), status);
    stream.on('error', () => {});
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc+proto',
        'grpc-status': status.code,
        'grpc-message': encodeURI(status.details),
      },
      { endStream: true },
    );
    // Else the rest of its request would be waited for.
    stream.close(constants.NGHTTP2_NO_ERROR);
    stream.resume();
  }

  private say(trouble: string, counts: object = {}): void {
    const due = this.few.due(trouble);
    if (due === undefined) return;
    this.deps.log.warn({ ...counts, ...(due.unsaid && { alsoRefused: due.unsaid }) }, `gRPC: ${trouble}`);
  }

  /** Cuts the oldest call. False if it has not had its time. */
  private cutOldest(): boolean {
    const nowMs = performance.now();
    for (const call of this.listed) {
      if (nowMs - call.sinceMs < this.times.patienceMs) return false;
      if (call.cut || call.of !== this.calls) continue;
      cut(call);
      return true;
    }
    return false;
  }

  private cutLate(): void {
    const nowMs = performance.now();
    for (const call of this.listed) {
      if (nowMs - call.sinceMs < this.times.callMs) return;
      // Its connection sends nothing any more, not even the end of the call.
      if (call.cut) call.stream.session?.destroy();
      else cut(call);
    }
  }
}

/**
 * Open calls, the oldest first. A list and no Map: see StreamTable for what a Map costs that thousands of short-lived objects
 * pass through.
 */
class Calls {
  private oldest: Call | undefined;
  private newest: Call | undefined;

  add(of: Kind, stream: ServerHttp2Stream): Call {
    const call: Call = {
      of,
      stream,
      sinceMs: performance.now(),
      bytes: 0,
      cut: false,
      isListed: true,
      older: this.newest,
      newer: undefined,
    };
    const { older } = call;
    if (older === undefined) this.oldest = call;
    else older.newer = call;
    this.newest = call;
    return call;
  }

  /** Of a call that is in the list. */
  delete(call: Call): void {
    const { older, newer } = call;
    call.isListed = false;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    call.older = undefined;
    call.newer = undefined;
  }

  *[Symbol.iterator](): Generator<Call> {
    for (let call = this.oldest; call !== undefined; ) {
      // Cutting a call can take it out of the list.
      const { newer } = call;
      yield call;
      call = newer;
    }
  }
}

function cut(call: Call): void {
  call.cut = true;
  call.stream.close(constants.NGHTTP2_CANCEL);
}

function bytesOf(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0);
  return bytes;
}

function kind(most: number, mostPerConnection: number, timed: boolean, full: string): Kind {
  return { most, mostPerConnection, timed, full, open: 0 };
}

/** HTTP/2 hides the socket of a session behind another object. */
function peerOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
