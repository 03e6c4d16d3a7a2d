import { Board, type BoardLimits } from '../../src/monitor/board.ts';
import type { Decided } from '../../src/monitor/decision.ts';
import type { AnySource } from '../../src/sources/source.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { TriggerBook } from '../../src/trigger/book.ts';
import type { ConfiguredConnection, Reference } from '../../src/trigger/trigger.ts';

export const limits: BoardLimits = {
  triggers: 20_000,
  triggersPerNamespace: 2_000,
  coldReadTimeoutMs: 2_000,
  maxStalenessSeconds: 60,
  leaseSeconds: 300,
  firstSyncTimeoutSeconds: 120,
};

export function connectionOf(
  name: string,
  source: AnySource,
  config: unknown,
  more: Partial<ConfiguredConnection> = {},
): ConfiguredConnection {
  return { name, source, config, namespaces: ['*'], fingerprint: name, place: name, ...more };
}

export function byName(
  connections: readonly ConfiguredConnection[],
): ReadonlyMap<string, ConfiguredConnection> {
  return new Map(connections.map((connection) => [connection.name, connection]));
}

/** A board with these connections open; `random` is fixed where a test does not say otherwise, so that backoff has no jitter. */
export function boardOf(
  connections: readonly ConfiguredConnection[],
  more: Partial<BoardLimits> = {},
  decided: Decided = () => {},
  random = () => 0.5,
) {
  const set = { ...limits, ...more };
  const metrics = new Metrics();
  const book = new TriggerBook({
    sources: [...new Set(connections.map(({ source }) => source))],
    connections: byName(connections),
    maxStalenessSeconds: set.maxStalenessSeconds,
    maxRemembered: set.triggers,
  });
  const board = new Board({ book, limits: set, log: silentLogger, metrics, random, decided });
  board.use(byName(connections), set);
  return { board, book, metrics };
}

export function referenceOf(
  metadata: Record<string, string>,
  name = 'worker',
  namespace = 'shop',
): Reference {
  return { namespace, name, metadata };
}
