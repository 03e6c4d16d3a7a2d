import type { EventFeed } from '../../src/sources/inbound.ts';
import type { AnySource, ConfiguredConnection } from '../../src/sources/source.ts';
import { Connections } from '../../src/subjects/connections.ts';
import { type Logger, silentLogger } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import type { Decided } from '../../src/triggers/decision.ts';
import type { Activity } from '../../src/triggers/followers.ts';
import type { HistoryLimits } from '../../src/triggers/history.ts';
import type { TriggerLimits } from '../../src/triggers/limits.ts';
import type { Answer } from '../../src/triggers/measurement.ts';
import type { Pace } from '../../src/triggers/nudges.ts';
import type { NewsLink } from '../../src/triggers/other-pods.ts';
import type { Reference } from '../../src/triggers/reference.ts';
import { type Measured, resolve } from '../../src/triggers/resolve.ts';
import type { Trigger } from '../../src/triggers/trigger.ts';
import type { TriggerStatus } from '../../src/triggers/trigger-status.ts';
import { Triggers } from '../../src/triggers/triggers.ts';

export interface Limits extends TriggerLimits {
  firstSyncTimeoutSeconds: number;
}

export const limits: Limits = {
  triggers: 20_000,
  triggersPerNamespace: 2_000,
  metadataBytes: 33_554_432,
  metadataBytesPerNamespace: 4_194_304,
  refusedTriggers: 1_000,
  coldReadTimeoutMs: 2_000,
  maxStalenessSeconds: 60,
  leaseSeconds: 300,
  maxLeaseSeconds: 21_600,
  firstSyncTimeoutSeconds: 120,
};

/** The default of the configuration. */
export const surge: Pace = { enabled: true, surgesAtOnce: 2 };

export function connectionOf(
  name: string,
  source: AnySource,
  config: unknown,
  more: Partial<ConfiguredConnection> = {},
): ConfiguredConnection {
  return { name, source, config, namespaces: ['*'], fingerprint: name, place: source.kind, ...more };
}

export function byName(
  connections: readonly ConfiguredConnection[],
): ReadonlyMap<string, ConfiguredConnection> {
  return new Map(connections.map((connection) => [connection.name, connection]));
}

/** The default of the configuration. */
export const history: HistoryLimits = { hours: 6, bytes: 10_485_760 };

export interface LiveOptions {
  readonly limits?: Partial<Limits>;
  readonly surge?: Partial<Pace>;
  readonly history?: HistoryLimits;
  readonly decided?: Decided;
  /** Fixed by default, so that backoff has no jitter. */
  readonly random?: () => number;
  readonly sources?: readonly AnySource[];
  readonly feedOf?: (connection: string) => EventFeed;
  readonly log?: Logger;
  readonly pods?: NewsLink;
}

/** Live triggers and the connections behind them, without a server. */
export class LiveTriggers {
  readonly metrics = new Metrics();
  readonly connections: Connections;
  readonly triggers: Triggers;

  constructor(configured: readonly ConfiguredConnection[], options: LiveOptions = {}) {
    const { metrics } = this;
    const { decided, random = () => 0.5, feedOf, log = silentLogger, pods } = options;
    const sources = options.sources ?? [...new Set(configured.map(({ source }) => source))];
    this.connections = new Connections({
      log,
      metrics,
      random,
      ...(feedOf === undefined ? {} : { feedOf }),
    });
    this.triggers = new Triggers({
      sources,
      connections: this.connections,
      log,
      metrics,
      plaintext: false,
      pods,
      ...(decided === undefined ? {} : { decided }),
    });
    this.use(configured, options.limits, options.surge, options.history);
  }

  /** Applies another configuration. */
  use(
    configured: readonly ConfiguredConnection[],
    more: Partial<Limits> = {},
    pace: Partial<Pace> = {},
    historyLimits: HistoryLimits = history,
  ): void {
    const settings = {
      limits: { ...limits, ...more },
      surge: { ...surge, ...pace },
      history: historyLimits,
      security: { allowPlaintextSecrets: false },
    };
    const config = { connections: byName(configured), settings };
    const prepared = [this.connections.prepare(config), this.triggers.prepare(config)];
    for (const one of prepared) one.commit();
  }

  trigger(reference: Reference): Trigger {
    return this.triggers.trigger(reference);
  }

  /** The answer to a unary call of a caller who never leaves. */
  async answer(reference: Reference): Promise<Answer> {
    return this.trigger(reference).answer(new AbortController());
  }

  follow(reference: Reference, told: (activity: Activity) => void = () => {}): () => void {
    return this.trigger(reference).follow(told);
  }

  hint(connection: string, name: string | undefined, cause: string): boolean {
    return this.connections.hint(connection, name, cause);
  }

  statuses(): TriggerStatus[] {
    return [...this.triggers.statuses()];
  }

  async close(): Promise<void> {
    this.triggers.close();
    await this.connections.close();
  }
}

export function referenceOf(
  metadata: Record<string, string>,
  name = 'worker',
  namespace = 'shop',
): Reference {
  return { namespace, name, metadata };
}

/** Resolves references with these connections, as the live triggers would. */
export function resolvingIn(
  sources: readonly AnySource[],
  connections: ReadonlyMap<string, ConfiguredConnection>,
  maxStalenessSeconds = 60,
): (reference: Reference) => Measured {
  const world = { sources, connections, maxStalenessSeconds, refuseSecretsFromEnv: false };
  return (reference) => resolve(reference, world);
}
