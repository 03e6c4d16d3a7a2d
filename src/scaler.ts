import { AdminServer, type Readiness } from './admin/server.ts';
import type { LoadedConfig, LoadResult, Stamps } from './config/load.ts';
import { ConfigReloader } from './config/reload.ts';
import { Decisions, flushLimitMs } from './decisions/decisions.ts';
import { ScalerError } from './errors.ts';
import { createEventLog, type EventLog } from './event-log/event-log.ts';
import { GrpcServer } from './grpc/server.ts';
import { sendersOf } from './ingest/senders.ts';
import { type IngestDeps, IngestServer } from './ingest/server.ts';
import { Lifecycle, type Part } from './lifecycle.ts';
import { Board } from './monitor/board.ts';
import type { AnySource } from './sources/source.ts';
import type { RootLogger } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { TriggerBook } from './trigger/book.ts';
import { RefusalLog } from './trigger/refusal-log.ts';
import { commit, version } from './version.ts';

export interface ScalerOptions {
  readonly sources: readonly AnySource[];
  readonly config: LoadedConfig;
  readonly stamps: Stamps;
  /** Loads the configuration again. */
  readonly load: () => Promise<LoadResult>;
  readonly log: RootLogger;
  readonly lookEveryMs?: number;
  /** What calls SNS, and by which clock. */
  readonly sns?: IngestDeps['sns'];
}

/** KEDA asks for health every few seconds; a source that is still being filled is looked at more often. */
const readinessMs = 100;
/** Kubernetes kills after 30 s; unary calls are answered from memory and take no time. */
const grpcDrainMs = 10_000;
/** A webhook is kept within milliseconds of its last byte. */
const ingestDrainMs = 3_000;

/** The whole scaler: what is wired to what, and in which order it starts and stops. */
export class Scaler {
  readonly metrics = new Metrics();
  private readonly options: ScalerOptions;
  private readonly lifecycle: Lifecycle;
  private readonly book: TriggerBook;
  private readonly board: Board;
  private readonly decisions: Decisions;
  private readonly grpc: GrpcServer;
  private readonly admin: AdminServer;
  private readonly events: EventLog;
  private readonly ingest: IngestServer;
  private readonly reloader: ConfigReloader;
  private token: string | undefined;
  private readinessTimer: NodeJS.Timeout | undefined;
  /** Whether the first syncs of the start are done. */
  private synced = false;

  constructor(options: ScalerOptions) {
    const { config, sources, log, stamps, load, lookEveryMs, sns } = options;
    const { limits, grpc, admin, eventLog } = config.settings;
    const { metrics } = this;
    this.options = options;
    this.token = admin.token;
    this.lifecycle = new Lifecycle(log);
    const refusals = new RefusalLog(log);
    this.book = new TriggerBook({
      sources,
      connections: new Map(),
      maxStalenessSeconds: limits.maxStalenessSeconds,
      maxRemembered: limits.triggers,
      refuseSecretsFromEnv: this.refusesSecrets(config),
      refused: (error) => refusals.refused(error),
    });
    const events = createEventLog(eventLog, log);
    this.events = events;
    this.decisions = new Decisions(config.settings.decisions, { log, metrics });
    this.board = new Board({
      book: this.book,
      limits,
      log,
      metrics,
      feedOf: (name) => events.feedOf(name),
      decided: (decision) => this.decisions.take(decision),
    });
    this.grpc = new GrpcServer(grpc, { desk: this.board, metrics, log });
    this.admin = new AdminServer({
      exposition: () => metrics.exposition(),
      board: this.board,
      readiness: () => this.readiness(),
      token: () => this.token,
    });
    this.ingest = new IngestServer({
      events,
      requests: metrics.ingestRequests,
      hint: (connection, subject, cause) => this.board.hint(connection, subject, cause),
      log,
      ...(sns === undefined ? {} : { sns }),
    });
    this.reloader = new ConfigReloader(config, stamps, {
      load,
      apply: (changed) => this.apply(changed),
      log,
      reloads: metrics.configReloads,
      ...(lookEveryMs === undefined ? {} : { lookEveryMs }),
    });
    // A gauge without labels starts at 0, which would read as a certificate that ended in 1970.
    if (grpc.tls === undefined) {
      metrics.registry.removeSingleMetric('backlog_scaler_tls_certificate_expiry_timestamp_seconds');
    }
    metrics.buildInfo.set({ version, commit, node: process.version }, 1);
  }

  /** Listens and serves; throws ScalerError, with everything stopped again, where it cannot. */
  start(): Promise<void> {
    return this.lifecycle.start(this.parts());
  }

  /** Drains: streams end with OK, calls under way finish, connections close. Never rejects. */
  stop(why: string): Promise<void> {
    return this.lifecycle.stop(why);
  }

  reload(): Promise<void> {
    return this.reloader.look({ force: true });
  }

  private parts(): Part[] {
    const { settings, connections } = this.options.config;
    return [
      {
        name: 'decisions',
        stop: () => this.decisions.close(flushLimitMs),
        stopLimitMs: flushLimitMs + 1000,
      },
      { name: 'event log', start: () => this.events.open(), stop: () => this.events.close() },
      {
        name: 'connections',
        start: () => this.board.use(connections, settings.limits),
        stop: () => this.board.close(),
      },
      { name: 'admin server', start: () => this.listenAdmin(), stop: () => this.admin.close() },
      {
        name: 'grpc server',
        start: () => this.listenGrpc(),
        stop: () => this.grpc.drain(grpcDrainMs),
        stopLimitMs: grpcDrainMs + 1000,
      },
      {
        name: 'ingest server',
        start: () => this.takeWebhooks(this.options.config),
        stop: () => this.ingest.drain(ingestDrainMs),
        stopLimitMs: ingestDrainMs + 1000,
      },
      { name: 'configuration', start: () => this.reloader.start(), stop: () => this.reloader.close() },
      {
        name: 'readiness',
        start: () => this.watchReadiness(),
        stop: () => clearInterval(this.readinessTimer),
      },
    ];
  }

  /** What KEDA sends is read by whoever sees the traffic, unless gRPC has TLS; that is as it was at start. */
  private refusesSecrets({ settings }: LoadedConfig): boolean {
    return this.options.config.settings.grpc.tls === undefined && !settings.security.allowPlaintextSecrets;
  }

  private async listenAdmin(): Promise<void> {
    const { host, port } = this.options.config.settings.admin;
    const bound = await this.admin.listen({ host, port });
    this.options.log.info({ server: 'admin', host, port: bound }, 'listening');
  }

  private async listenGrpc(): Promise<void> {
    const { host, tls } = this.options.config.settings.grpc;
    const bound = await this.grpc.listen();
    const security = tls === undefined ? 'plaintext' : tls.clientCaFile === undefined ? 'tls' : 'mtls';
    this.options.log.info({ server: 'grpc', host, port: bound, security }, 'listening');
  }

  /** The port is opened with the first sender that may send: a connection that takes webhooks or SNS's messages, or a token. It stays. */
  private async takeWebhooks({ settings, connections }: LoadedConfig): Promise<void> {
    this.ingest.use(sendersOf(connections.values(), settings.ingest.tokens), settings.ingest);
    if (!this.ingest.wantsPort) return;
    const { host, port } = this.options.config.settings.ingest;
    const bound = await this.ingest.listen({ host, port });
    this.options.log.info({ server: 'ingest', host, port: bound }, 'listening');
  }

  private readiness(): Readiness {
    const serving = this.lifecycle.state === 'serving';
    return { ready: serving && this.synced, checks: { serving, synced: this.synced } };
  }

  /** Sources that must be filled first are waited for once, at start; a connection that comes later waits for itself. */
  private watchReadiness(): void {
    const check = (): void => {
      if (this.board.syncing().length > 0) return;
      clearInterval(this.readinessTimer);
      this.synced = true;
      this.grpc.setServing(true);
      this.options.log.info({}, 'ready');
    };
    this.readinessTimer = setInterval(check, readinessMs);
    check();
  }

  private apply(config: LoadedConfig): void {
    const { settings, connections } = config;
    const { log } = this.options;
    this.book.use({ refuseSecretsFromEnv: this.refusesSecrets(config) });
    this.board.use(connections, settings.limits);
    log.level = settings.log.level;
    this.token = settings.admin.token;
    this.decisions.use(settings.decisions);
    this.takeWebhooks(config).catch((reason: unknown) => {
      const { message } = ScalerError.from(reason);
      log.error(
        { error: message },
        'webhooks cannot be taken; the next change of the configuration tries again',
      );
    });
  }
}
