import { AdminServer, type Readiness } from './admin/server.ts';
import type { Loaded, LoadResult } from './config/load.ts';
import { ConfigReloader, type Configurable, taking } from './config/reload.ts';
import { Decisions, flushLimitMs } from './decisions/decisions.ts';
import { createEventLog, type EventLog } from './event-log/event-log.ts';
import { GrpcServer } from './grpc/server.ts';
import { Ingest } from './ingest/ingest.ts';
import type { IngestDeps } from './ingest/server.ts';
import { Lifecycle, type Part } from './lifecycle.ts';
import { commit, version } from './package.ts';
import { Pods, type Told } from './pods/pods.ts';
import type { AnySource } from './sources/source.ts';
import { Connections } from './subjects/connections.ts';
import type { RootLogger } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { Triggers } from './triggers/triggers.ts';

export interface ScalerOptions {
  readonly sources: readonly AnySource[];
  /** The configuration of the start. */
  readonly loaded: Loaded;
  /** Loads the configuration again. */
  readonly load: () => Promise<LoadResult>;
  readonly log: RootLogger;
  readonly lookEveryMs?: number;
  /** What calls SNS, and by which clock. */
  readonly sns?: IngestDeps['sns'];
}

/** KEDA asks for health every few seconds. A first sync is checked more often. */
const readinessMs = 100;
/** Kubernetes kills after 30 s; unary calls are answered from memory and take no time. */
const grpcDrainMs = 10_000;
/** A webhook is kept within milliseconds of its last byte. */
const ingestDrainMs = 3_000;

/** Metrics that are there with the event log in NATS alone. */
const ofNatsAlone = [
  'event_log_connected',
  'event_log_buffered_events',
  'event_log_forwarded_total',
  'event_log_dropped_total',
  'leases_held',
  'leases_given_up_total',
];

/** The whole scaler: what is wired to what, and in which order it starts and stops. */
export class Scaler {
  readonly metrics = new Metrics();
  private readonly options: ScalerOptions;
  private readonly lifecycle: Lifecycle;
  private readonly connections: Connections;
  private readonly triggers: Triggers;
  private readonly decisions: Decisions;
  private readonly grpc: GrpcServer;
  private readonly admin: AdminServer;
  /** What several pods share; undefined where there is one. */
  private readonly pods: Pods | undefined;
  private readonly events: EventLog;
  private readonly ingest: Ingest;
  private readonly reloader: ConfigReloader;
  private adminToken: string | undefined;
  private readinessTimer: NodeJS.Timeout | undefined;
  /** Whether the first syncs of the start are done. */
  private synced = false;

  constructor(options: ScalerOptions) {
    const { loaded, sources, log, load, lookEveryMs, sns } = options;
    const { start, config } = loaded;
    const { metrics } = this;
    this.options = options;
    this.lifecycle = new Lifecycle(log);
    if (start.eventLog.type === 'nats') {
      const hinted = ({ connection, subject, cause }: Told): void => {
        this.connections.hint(connection, subject, cause);
      };
      const held = (connection: string, has: boolean | undefined): void => {
        if (has === undefined) metrics.leasesHeld.remove({ connection });
        else metrics.leasesHeld.set({ connection }, has ? 1 : 0);
        if (has === undefined) metrics.leasesGivenUp.remove({ connection });
        else metrics.leasesGivenUp.inc({ connection }, 0);
      };
      this.pods = new Pods({
        settings: start.eventLog,
        hinted,
        surging: (news) => this.triggers.hear(news),
        held,
        gaveUp: (connection) => metrics.leasesGivenUp.inc({ connection }),
        log,
      });
    } else {
      for (const name of ofNatsAlone) metrics.registry.removeSingleMetric(`backlog_scaler_${name}`);
    }
    const events = createEventLog(start.eventLog, { log, metrics, pods: this.pods });
    this.events = events;
    this.decisions = new Decisions(config.settings.decisions, { log, metrics });
    this.connections = new Connections({
      log,
      metrics,
      feedOf: (name) => events.feedOf(name),
      pods: this.pods,
    });
    this.triggers = new Triggers({
      sources,
      connections: this.connections,
      log,
      metrics,
      // Without TLS, anyone who sees the traffic can read it.
      plaintext: start.grpc.tls === undefined,
      decided: (decision) => this.decisions.take(decision),
      pods: this.pods?.surges,
    });
    this.grpc = new GrpcServer(start.grpc, { triggers: this.triggers, metrics, log });
    this.admin = new AdminServer({
      exposition: () => metrics.exposition(),
      triggers: this.triggers,
      connections: () => this.connections.uses(),
      // Only people ask for it: the start is spared its modules.
      details: async (id) => {
        const { triggerDetails } = await import('./admin/trigger-details.ts');
        return triggerDetails(this.triggers, id);
      },
      version,
      readiness: () => this.readiness(),
      token: () => this.adminToken,
      maxConnections: start.admin.maxConnections,
    });
    this.ingest = new Ingest({
      address: start.ingest,
      events,
      requests: metrics.ingestRequests,
      hint: (connection, subject, cause) => this.hint({ connection, subject, cause }),
      webhooks: sources.flatMap(({ kind, webhooks }) =>
        webhooks ? [{ kind, headers: webhooks.headers }] : [],
      ),
      log,
      ...(sns === undefined ? {} : { sns }),
    });
    this.reloader = new ConfigReloader(loaded, {
      parts: this.configurable(),
      load,
      log,
      reloads: metrics.configReloads,
      ...(lookEveryMs === undefined ? {} : { lookEveryMs }),
    });
    // A gauge without labels starts at 0, which would read as a certificate that ended in 1970.
    if (start.grpc.tls === undefined) {
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

  /** Loads the configuration again, also where no file has changed. Before the first is in force: after it. */
  reload(): Promise<void> {
    return this.reloader.look({ force: true });
  }

  /** They start in this order and stop in the reverse one. */
  private parts(): Part[] {
    return [
      {
        name: 'decisions',
        stop: () => this.decisions.close(flushLimitMs),
        stopLimitMs: flushLimitMs + 1000,
      },
      { name: 'pods', start: () => this.pods?.open(), stop: () => this.pods?.close() },
      { name: 'event log', start: () => this.events.open(), stop: () => this.events.close() },
      { name: 'connections', stop: () => this.connections.close() },
      { name: 'triggers', stop: () => this.triggers.close() },
      // Opens the connections, and the ingest port where somebody may send.
      { name: 'configuration', start: () => this.reloader.start(), stop: () => this.reloader.close() },
      { name: 'admin server', start: () => this.listenAdmin(), stop: () => this.admin.close() },
      {
        name: 'grpc server',
        start: () => this.listenGrpc(),
        stop: () => this.grpc.drain(grpcDrainMs),
        stopLimitMs: grpcDrainMs + 1000,
      },
      {
        name: 'ingest server',
        stop: () => this.ingest.drain(ingestDrainMs),
        stopLimitMs: ingestDrainMs + 1000,
      },
      { name: 'reloads', start: () => this.reloader.watch(), stop: () => this.reloader.close() },
      {
        name: 'readiness',
        start: () => this.watchReadiness(),
        stop: () => clearInterval(this.readinessTimer),
      },
    ];
  }

  /** For the subjects here first, then for the other pods. False if nobody watches it here, and no other pod gets it. */
  private hint(told: Told): boolean {
    const { connection, subject, cause } = told;
    const watched = this.connections.hint(connection, subject, cause);
    const isTold = this.pods?.hint(told) ?? false;
    return watched || isTold;
  }

  /** What takes the configuration, and each later one. */
  private configurable(): Configurable[] {
    const { log } = this.options;
    return [
      taking(({ settings }) => {
        log.level = settings.log.level;
        this.adminToken = settings.admin.token;
        this.decisions.use(settings.decisions);
      }),
      this.connections,
      this.triggers,
      this.ingest,
    ];
  }

  private async listenAdmin(): Promise<void> {
    const { host, port } = this.options.loaded.start.admin;
    const bound = await this.admin.listen({ host, port });
    this.options.log.info({ server: 'admin', host, port: bound }, 'listening');
  }

  private async listenGrpc(): Promise<void> {
    const { host, tls } = this.options.loaded.start.grpc;
    const bound = await this.grpc.listen();
    const security = tls === undefined ? 'plaintext' : tls.clientCaFile === undefined ? 'tls' : 'mtls';
    this.options.log.info({ server: 'grpc', host, port: bound, security }, 'listening');
  }

  private readiness(): Readiness {
    const serving = this.lifecycle.state === 'serving';
    const late = this.synced && this.connections.overdue().length > 0;
    const checks = { serving, synced: this.synced && !late, ...(late && { syncTimedOut: true }) };
    return { ready: serving && this.synced, checks };
  }

  /** Sources that must be filled first are waited for once, at start; a connection that comes later waits for itself. */
  private watchReadiness(): void {
    const check = (): void => {
      if (this.connections.syncing().length > 0) return;
      clearInterval(this.readinessTimer);
      this.synced = true;
      this.grpc.setServing(true);
      this.options.log.info({}, 'ready');
    };
    this.readinessTimer = setInterval(check, readinessMs);
    check();
  }
}
