import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { ServerOptions } from '@grpc/grpc-js';
import { Server, ServerCredentials, setLogger } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { ScalerError } from '../errors.ts';
import type { Sockets } from '../sockets.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Admission, type AdmissionTimes, admissionTimes, mostHeaderBytes } from './admission.ts';
import { ExternalScaler, packageDefinition, serviceName } from './contract.ts';
import { Health } from './health.ts';
import { type LiveTriggers, Service } from './service.ts';
import { codeName } from './status.ts';
import { readAfterWrite, Streams } from './streams.ts';
import { ServerCertificates, type TlsFiles } from './tls.ts';

export interface GrpcSettings {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Where several pods share the load: see `streamAgeMs`. Undefined: connections and streams last. */
  maxConnectionAgeSeconds?: number | undefined;
  /** The bounds of the port; see Admission. */
  maxConnections: number;
  maxStreams: number;
  maxStreamsPerConnection: number;
  maxCalls: number;
  /** Undefined: plaintext HTTP/2. */
  tls?: (TlsFiles & { allowedClientNames?: readonly string[] | undefined }) | undefined;
}

export interface GrpcDeps {
  triggers: LiveTriggers;
  metrics: Metrics;
  log: Logger;
}

/** Times that tests shorten. */
export interface GrpcTimes extends Partial<AdmissionTimes> {
  keepaliveMs?: number;
  keepaliveTimeoutMs?: number;
  confirmMs?: number;
  certificateRefreshMs?: number;
  /** Over how long aged streams are ended, so that a cluster's do not come back all at once. */
  ageSpreadMs?: number;
}

/** Metadata is small; a megabyte of it is a mistake or an attack. */
const maxReceiveBytes = 64 * 1024;
/** Some 11 days. A timer of more than 2^31 - 1 ms would fire at once. */
const longestAgeSeconds = 1_000_000;

/** The gRPC server: KEDA's service, health and reflection. */
export class GrpcServer {
  private readonly settings: GrpcSettings;
  private readonly deps: GrpcDeps;
  private readonly times: GrpcTimes;
  private readonly streams: Streams;
  private readonly server: Server;
  private readonly admission: Admission;
  private readonly sockets: Sockets[] = [];
  private readonly sessions = new Set<ServerHttp2Session>();
  private readonly health = new Health(['', serviceName]);
  private certificates: ServerCertificates | undefined;
  private reflection: Promise<void> | undefined;

  constructor(settings: GrpcSettings, deps: GrpcDeps, times: GrpcTimes = {}) {
    this.settings = settings;
    this.deps = deps;
    this.times = times;
    this.streams = new Streams(deps.metrics);
    this.admission = new Admission(
      { ...settings, allowedClientNames: settings.tls?.allowedClientNames },
      {
        log: deps.log,
        refused: (method, { code }) => this.countRefused(method, codeName(code)),
        addReflection: () => (this.reflection ??= this.addReflection()),
      },
      { ...admissionTimes, ...times },
    );
    setLogger(quiet(deps.log));
    this.server = new Server(serverOptions(settings, times));
    setHttp2Options(this.server);
    this.server.addService(ExternalScaler.service, this.service().handlers());
    this.health.addTo(this.server);
  }

  /** Listens, and gives the port; not yet healthy. Throws ScalerError where files or address cannot be used. */
  async listen(): Promise<number> {
    const { host, port } = this.settings;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const credentials = await this.credentials();
    return new Promise((resolve, reject) => {
      this.server.bindAsync(address, credentials, (cause, bound) => {
        if (cause === null) {
          for (const server of http2ServersOf(this.server)) {
            server.prependListener('session', (session) => this.opened(session));
            this.sockets.push(this.admission.guard(server));
          }
          return resolve(bound);
        }
        this.admission.drain();
        this.certificates?.close();
        reject(
          new ScalerError('unavailable', `grpc: cannot listen on ${address}: ${cause.message}`, { cause }),
        );
      });
    });
  }

  /** What `grpc.health.v1` says. */
  setServing(serving: boolean): void {
    this.health.setServing(serving);
  }

  /** KEDA's. */
  get openStreams(): number {
    return this.streams.size;
  }

  /** Calls of all methods, streams among them. */
  get openCalls(): number {
    return this.admission.open;
  }

  get openConnections(): number {
    return this.sockets.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Ends streams with OK, lets unary calls finish, closes. What is still open after `limitMs` is cut: grpc-js's
   * tryShutdown() waits for every stream, and forever for a connection that keepalive has given up.
   */
  async drain(limitMs: number): Promise<void> {
    this.setServing(false);
    this.streams.drain();
    this.health.drain();
    this.admission.drain();
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        this.server.forceShutdown();
        // grpc-js 1.14.7 knows its sessions only where channelz is on.
        for (const session of this.sessions)
          session.destroy(new Error('the drain is over'), constants.NGHTTP2_CANCEL);
        resolve();
      }, limitMs);
      this.server.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
    this.certificates?.close();
  }

  /** A tenth of a start would go into its library, which people call and KEDA does not. */
  private async addReflection(): Promise<void> {
    const { ReflectionService } = await import('@grpc/reflection');
    new ReflectionService(packageDefinition).addToServer(this.server);
  }

  private opened(session: ServerHttp2Session): void {
    replaceStreamMap(session);
    this.sessions.add(session);
    session.once('close', () => this.sessions.delete(session));
  }

  private service(): Service {
    const { triggers, metrics, log } = this.deps;
    return new Service({
      triggers,
      metrics,
      log,
      streams: this.streams,
      streamAgeMs: () => this.streamAgeMs(),
      confirmMs: this.times.confirmMs,
    });
  }

  /**
   * With an age, grpc-js sends GOAWAY to a connection after it ± 10 %, and new RPCs go elsewhere; streams stay
   * on the old one until we end them. A stream is ended when its connection has had its GOAWAY for certain.
   */
  private streamAgeMs(): number | undefined {
    const ageSeconds = this.settings.maxConnectionAgeSeconds;
    if (ageSeconds === undefined) return undefined;
    return (
      Math.min(ageSeconds, longestAgeSeconds) * 1100 + Math.random() * (this.times.ageSpreadMs ?? 300_000)
    );
  }

  /** What is no method of ours has a name that its caller chose. */
  private countRefused(method: string, code: string): void {
    if (methods.has(method)) this.deps.metrics.rpcRequests.inc({ method, code });
  }

  private async credentials(): Promise<ServerCredentials> {
    const { tls } = this.settings;
    if (tls === undefined) return ServerCredentials.createInsecure();
    this.certificates = await ServerCertificates.open(tls, {
      log: this.deps.log,
      expires: (atSeconds) => this.deps.metrics.tlsCertificateExpiry.set(atSeconds),
      refreshMs: this.times.certificateRefreshMs,
    });
    return this.certificates.credentials();
  }
}

/** grpc-js writes plain lines to standard error. Its failures also reach us as errors, which we log. */
function quiet(log: Logger): Partial<Console> {
  const say = (...message: unknown[]): void => log.debug({}, `grpc-js: ${message.join(' ')}`);
  return { error: say, info: say, debug: say };
}

function serverOptions(settings: GrpcSettings, times: GrpcTimes): ServerOptions {
  const { maxConnectionAgeSeconds, maxStreamsPerConnection, maxCalls } = settings;
  return {
    interceptors: [readAfterWrite],
    'grpc.max_receive_message_length': maxReceiveBytes,
    // Nobody can ask for it here, and it keeps half a kilobyte for each open stream.
    'grpc.enable_channelz': 0,
    // HTTP/2 calls every call a stream. Above this clients wait; below it Admission decides.
    'grpc.max_concurrent_streams': maxStreamsPerConnection + maxCalls,
    // KEDA's client sends no pings: half-open connections are for us to find.
    'grpc.keepalive_time_ms': times.keepaliveMs ?? 30_000,
    'grpc.keepalive_timeout_ms': times.keepaliveTimeoutMs ?? 10_000,
    // Without a grace option it is unlimited.
    ...(maxConnectionAgeSeconds === undefined
      ? {}
      : { 'grpc.max_connection_age_ms': Math.min(maxConnectionAgeSeconds, longestAgeSeconds) * 1000 }),
  };
}

/** Whose refusals are counted. */
const methods = new Set([ExternalScaler.service, healthService].flatMap((service) => Object.keys(service)));
methods.add('ServerReflectionInfo');

/*
 * grpc-js 1.14.7 has no option for what follows, so this reaches into it; it throws where grpc-js has changed.
 */

/**
 * Sets what grpc-js has no options for.
 *
 * Resets: KEDA cancels two streams for each ScaledObject that it rebuilds, all on one connection. By default nghttp2 closes
 * that connection, with every stream, at the 1001st reset of a burst or beyond 33 a second. That is its guard against
 * "rapid reset" (CVE-2023-44487). 100,000 in a burst and 10,000 a second are more than KEDA can reach. The options are
 * Node's since 22.11 (nodejs/node#54875), older ones ignore them and keep nghttp2's limit.
 */
export function setHttp2Options(server: Server): void {
  const options: unknown = Reflect.get(server, 'commonServerOptions');
  if (typeof options !== 'object' || options === null || !('settings' in options)) {
    throw new Error('grpc-js has changed: its Server has no commonServerOptions with settings');
  }
  Object.assign(options, { streamResetBurst: 100_000, streamResetRate: 10_000 });
  Object.assign(Object(options.settings), { maxHeaderListSize: mostHeaderBytes });
}

/** The servers that listen: one for each address of the host. */
export function http2ServersOf(server: Server): Http2Server[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (!(servers instanceof Map)) throw new Error('grpc-js has changed: its Server has no http2Servers');
  return [...servers.keys()];
}

/**
 * Replaces the Map in which a session of Node keeps its streams. V8 links each table that a Map outgrows to the next one.
 * A dead table in the old generation stays until a full collection. It keeps all later tables, and every call that was
 * open when one was outgrown. So every call moves to the old generation before it is freed, which is nearly half of
 * the cost of a GetMetrics (`npm run bench -- --only throughput`).
 *
 * A session without such a table (another Node) is slower, and still correct.
 */
export function replaceStreamMap(session: ServerHttp2Session): void {
  for (const key of Object.getOwnPropertySymbols(session)) {
    if (key.description !== 'state') continue;
    const state: unknown = Reflect.get(session, key);
    if (typeof state !== 'object' || state === null || !('streams' in state)) continue;
    // Node's Map has no prototype, so that instanceof does not know it.
    if (Reflect.get(Object(state.streams), 'size') === 0) state.streams = new StreamTable();
  }
}

/** All of a Map that Node 22 and 24 use for a session's streams (lib/internal/http2/core.js). */
class StreamTable<V> {
  private readonly streams: Record<number, V> = Object.create(null);
  size = 0;

  get(id: number): V | undefined {
    return this.streams[id];
  }

  set(id: number, stream: V): this {
    if (this.streams[id] === undefined) this.size += 1;
    this.streams[id] = stream;
    return this;
  }

  delete(id: number): boolean {
    if (this.streams[id] === undefined) return false;
    delete this.streams[id];
    this.size -= 1;
    return true;
  }

  forEach(each: (stream: V) => void): void {
    for (const stream of Object.values(this.streams)) each(stream);
  }
}
