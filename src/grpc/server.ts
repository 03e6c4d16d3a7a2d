import type { ServerOptions } from '@grpc/grpc-js';
import { Server, ServerCredentials, setLogger } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { ScalerError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { admitNames } from './client-names.ts';
import { ExternalScaler, packageDefinition, serviceName } from './contract.ts';
import type { Desk } from './desk.ts';
import type { TlsFiles } from './key-material.ts';
import { Service } from './service.ts';
import { allowStreamResets } from './stream-resets.ts';
import { Streams } from './streams.ts';
import { ServerCertificates } from './tls.ts';

export interface GrpcSettings {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Where several pods share the load: see `streamAgeMs`. Undefined: connections and streams last. */
  maxConnectionAgeSeconds?: number | undefined;
  /** Undefined: plaintext HTTP/2. */
  tls?: (TlsFiles & { allowedClientNames?: readonly string[] | undefined }) | undefined;
}

export interface GrpcDeps {
  desk: Desk;
  metrics: Metrics;
  log: Logger;
}

/** Times that tests shorten. */
export interface GrpcTimes {
  keepaliveMs?: number;
  keepaliveTimeoutMs?: number;
  confirmMs?: number;
  certificateRefreshMs?: number;
  /** Over how long aged streams are ended, so that a cluster's do not come back all at once. */
  ageSpreadMs?: number;
}

/** Metadata is small; a megabyte of it is a mistake or an attack. */
const maxReceiveBytes = 64 * 1024;
/** Two streams for each push trigger of the cluster, all on one connection of KEDA's (external_scaler.go). */
const maxStreamsPerConnection = 100_000;
/** Some 11 days. A timer of more than 2^31 - 1 ms would fire at once. */
const longestAgeSeconds = 1_000_000;

/** The gRPC server: KEDA's service, health and reflection. */
export class GrpcServer {
  private readonly settings: GrpcSettings;
  private readonly deps: GrpcDeps;
  private readonly times: GrpcTimes;
  private readonly streams: Streams;
  private readonly server: Server;
  private readonly health = new HealthImplementation({ '': 'NOT_SERVING', [serviceName]: 'NOT_SERVING' });
  private certificates: ServerCertificates | undefined;

  constructor(settings: GrpcSettings, deps: GrpcDeps, times: GrpcTimes = {}) {
    this.settings = settings;
    this.deps = deps;
    this.times = times;
    this.streams = new Streams(deps.metrics);
    setLogger(quiet(deps.log));
    this.server = new Server(serverOptions(settings, times));
    allowStreamResets(this.server);
    this.server.addService(ExternalScaler.service, this.service().handlers());
    this.health.addToServer(this.server);
    new ReflectionService(packageDefinition).addToServer(this.server);
  }

  /** Listens, and gives the port; not yet healthy. Throws ScalerError where files or address cannot be used. */
  async listen(): Promise<number> {
    const { host, port } = this.settings;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const credentials = await this.credentials();
    return new Promise((resolve, reject) => {
      this.server.bindAsync(address, credentials, (cause, bound) => {
        if (cause === null) return resolve(bound);
        this.certificates?.close();
        reject(
          new ScalerError('unavailable', `grpc: cannot listen on ${address}: ${cause.message}`, { cause }),
        );
      });
    });
  }

  /** What `grpc.health.v1` says. */
  setServing(serving: boolean): void {
    const status = serving ? 'SERVING' : 'NOT_SERVING';
    for (const name of ['', serviceName]) this.health.setStatus(name, status);
  }

  get openStreams(): number {
    return this.streams.size;
  }

  /**
   * Ends streams with OK, lets unary calls finish, closes. What is still open after `limitMs` is cut: grpc-js's
   * tryShutdown() waits for every stream, and for ever for a connection that keepalive has given up.
   */
  async drain(limitMs: number): Promise<void> {
    this.setServing(false);
    this.streams.drain();
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        this.server.forceShutdown();
        resolve();
      }, limitMs);
      this.server.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
    this.certificates?.close();
  }

  private service(): Service {
    const { desk, metrics, log } = this.deps;
    const names = this.settings.tls?.allowedClientNames;
    return new Service({
      desk,
      metrics,
      log,
      streams: this.streams,
      admit: names === undefined ? () => {} : admitNames(names),
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

/** grpc-js writes plain lines to standard error; what fails there reaches us as an error, and is said by us. */
function quiet(log: Logger): Partial<Console> {
  const say = (...message: unknown[]): void => log.debug({}, `grpc-js: ${message.join(' ')}`);
  return { error: say, info: say, debug: say };
}

function serverOptions({ maxConnectionAgeSeconds }: GrpcSettings, times: GrpcTimes): ServerOptions {
  return {
    'grpc.max_receive_message_length': maxReceiveBytes,
    'grpc.max_concurrent_streams': maxStreamsPerConnection,
    // KEDA's client sends no pings: half-open connections are for us to find.
    'grpc.keepalive_time_ms': times.keepaliveMs ?? 30_000,
    'grpc.keepalive_timeout_ms': times.keepaliveTimeoutMs ?? 10_000,
    // Without a grace option it is unlimited.
    ...(maxConnectionAgeSeconds === undefined
      ? {}
      : { 'grpc.max_connection_age_ms': Math.min(maxConnectionAgeSeconds, longestAgeSeconds) * 1000 }),
  };
}
