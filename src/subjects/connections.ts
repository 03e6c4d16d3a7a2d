import { attempt, ScalerError } from '../errors.ts';
import type { EventFeed } from '../sources/inbound.ts';
import type { AnyConnection, ConfiguredConnection, PeerDuties, Peers } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { OpenConnection } from './connection.ts';
import { Slices } from './slices.ts';

export interface ConnectionsOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The verified events of a connection; where there is nothing that takes any, none come. */
  readonly feedOf?: (connection: string) => EventFeed;
  /** The other pods. Absent if there is only one. */
  readonly pods?: PodsOf | undefined;
  /** In [0, 1): for backoff, and to spread reads. */
  readonly random?: () => number;
}

/** The pods of the scaler, as connections see them. */
export interface PodsOf {
  /** `place`: what is measured there. */
  peersOf(connection: string, place: string, duties: PeerDuties, log: Logger): Peers;
  /** Whether this pod has the lease of the connection. Undefined if the connection has no lease. */
  holds(connection: string): boolean | undefined;
  /** The connection is gone. */
  forget(connection: string): void;
}

/** What of a configuration the connections take. */
export interface ConnectionsConfig {
  readonly connections: ReadonlyMap<string, ConfiguredConnection>;
  readonly settings: { readonly limits: { readonly firstSyncTimeoutSeconds: number } };
}

/** An open connection, for people. */
export interface ConnectionUse {
  readonly name: string;
  readonly source: string;
  readonly subjects: number;
  /** To the upstream, in the last minutes. */
  readonly requestsPerMinute: number;
  /** How many the upstream still allows in its hour, and how many it usually grants; absent where it does not say. */
  readonly remaining?: number;
  readonly granted?: number;
  /** Whether it is this pod that asks the upstream for all; absent where each asks for itself. */
  readonly hasLease?: boolean;
}

/** The open connections. */
export class Connections {
  /** Work in slices, for all connections and for the triggers. */
  readonly slices = new Slices();
  private readonly options: ConnectionsOptions;
  private readonly open = new Map<string, OpenConnection>();
  private readonly firstSyncs = new Map<OpenConnection, FirstSync>();

  constructor(options: ConnectionsOptions) {
    this.options = options;
    const { metrics } = options;
    metrics.onCollect(() => {
      metrics.subjects.reset();
      for (const { source, size } of this.open.values()) metrics.subjects.inc({ source: source.kind }, size);
    });
  }

  get(name: string): OpenConnection | undefined {
    return this.open.get(name);
  }

  /** How much each measures, and asks of its upstream. */
  *uses(): Iterable<ConnectionUse> {
    for (const [name, { source, size }] of this.open) {
      const { requestsPerMinute, remaining } = this.options.metrics.useOf(name);
      const { requestsAnHour } = source;
      const hasLease = this.options.pods?.holds(name);
      yield {
        name,
        source: source.kind,
        subjects: size,
        requestsPerMinute: Math.round(requestsPerMinute * 10) / 10,
        ...(remaining !== undefined && { remaining }),
        ...(remaining !== undefined && requestsAnHour !== undefined && { granted: requestsAnHour }),
        ...(hasLease !== undefined && { hasLease }),
      };
    }
  }

  /**
   * Opens the new connections of a configuration. `commit` puts them in place, and closes removed or changed ones with their
   * subjects. `discard` closes them. Throws ScalerError, with nothing changed, if one cannot be opened.
   */
  prepare({ connections, settings }: ConnectionsConfig): { commit(): void; discard(): void } {
    const opened: OpenConnection[] = [];
    const discard = (): void => {
      for (const one of opened) void this.closeOne(one);
    };
    try {
      for (const configured of connections.values()) {
        if (this.open.get(configured.name)?.configured.fingerprint === configured.fingerprint) continue;
        opened.push(this.connect(configured));
      }
    } catch (reason) {
      discard();
      throw ScalerError.from(reason, 'invalid');
    }
    return { commit: () => this.commit(connections, opened, settings.limits), discard };
  }

  private connect(configured: ConfiguredConnection): OpenConnection {
    const { log, metrics, feedOf, pods, random = Math.random } = this.options;
    const events = feedOf?.(configured.name) ?? silence;
    return new OpenConnection(configured, {
      log,
      metrics,
      events,
      pods,
      random,
      slices: this.slices,
    });
  }

  private commit(
    connections: ReadonlyMap<string, ConfiguredConnection>,
    opened: readonly OpenConnection[],
    { firstSyncTimeoutSeconds }: { firstSyncTimeoutSeconds: number },
  ): void {
    const closing: OpenConnection[] = [];
    const fresh = new Map(opened.map((one) => [one.configured.name, one]));
    for (const [name, one] of this.open) {
      const configured = connections.get(name);
      if (configured && !fresh.has(name)) one.use(configured);
      else closing.push(one);
    }
    for (const one of closing) this.open.delete(one.configured.name);
    for (const [name, one] of fresh) this.open.set(name, one);
    for (const one of closing) void this.closeOne(one);
    for (const one of opened) this.awaitFirstSync(one, firstSyncTimeoutSeconds * 1000);
  }

  /** A hint that something may have happened; without a name, to all subjects of the connection. False: none. */
  hint(connection: string, hintName: string | undefined, cause: string): boolean {
    return this.open.get(connection)?.hint(hintName, cause) ?? false;
  }

  /** The connections whose first sync readiness still waits for. */
  syncing(): readonly string[] {
    return [...this.firstSyncs].filter(([, { overdue }]) => !overdue).map(([one]) => one.configured.name);
  }

  /** The connections whose first sync has run out of time and goes on. Readiness does not wait for them. */
  overdue(): readonly string[] {
    return [...this.firstSyncs].filter(([, { overdue }]) => overdue).map(([one]) => one.configured.name);
  }

  /** Past its time the sync goes on, and readiness does not wait for it any more. */
  private awaitFirstSync(one: OpenConnection, timeoutMs: number): void {
    const connection: AnyConnection = one.connection;
    if (!connection.firstSync) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      sync.overdue = true;
      this.options.log.warn(
        { connection: one.configured.name, firstSyncTimeoutSeconds: timeoutMs / 1000 },
        'the first sync takes longer than limits.firstSyncTimeoutSeconds: ready without it; its triggers get UNAVAILABLE until it ends',
      );
    }, timeoutMs);
    const sync: FirstSync = { abort, timer, overdue: false };
    this.firstSyncs.set(one, sync);
    const done = (): void => this.endFirstSync(one);
    // A commit cannot fail, whatever a source does.
    const synced = attempt(() => connection.firstSync?.(abort.signal));
    Promise.resolve(synced).then(done, done);
  }

  private endFirstSync(one: OpenConnection): void {
    const sync = this.firstSyncs.get(one);
    this.firstSyncs.delete(one);
    clearTimeout(sync?.timer);
    sync?.abort.abort();
  }

  private async closeOne(one: OpenConnection): Promise<void> {
    const { name } = one.configured;
    this.endFirstSync(one);
    await one.close().catch((reason: unknown) => {
      const { message } = ScalerError.from(reason);
      this.options.log.warn({ connection: name, error: message }, 'connection did not close');
    });
    // Only now: while it closed it could still count.
    if (this.open.has(name)) return;
    this.options.metrics.forgetConnection(name);
    this.options.pods?.forget(name);
  }

  async close(): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    this.slices.close();
    await Promise.all(all.map((one) => this.closeOne(one)));
  }
}

interface FirstSync {
  readonly abort: AbortController;
  readonly timer: NodeJS.Timeout;
  /** Past its time limit: the sync goes on, readiness does not wait for it any more. */
  overdue: boolean;
}

/** The feed of a scaler that takes nothing in. */
const silence: EventFeed = {
  keptSince: () => ({ atMs: performance.timeOrigin, because: 'memory' }),
  follow: (_, replayed) => {
    replayed?.();
    return () => {};
  },
};
