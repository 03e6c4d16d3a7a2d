import type { AnySource } from '../sources/source.ts';

/** What ingest knows of a connection that takes webhooks. */
export interface Receiver {
  readonly name: string;
  /** The kind of its source, and of those who may send to it. */
  readonly kind: string;
  /** At least one; several while one is replaced. Never logged. */
  readonly secrets: readonly string[];
  /** Whether a verified payload is about this connection's owner. */
  owns(payload: unknown): boolean;
  /** What the payload says, as the event log keeps it; undefined where it says nothing that a ledger needs. */
  fact(event: string, payload: unknown): unknown;
}

/** A connection, as far as it matters here. */
interface Configured {
  readonly name: string;
  readonly source: AnySource;
  readonly config: unknown;
}

/** The connections that take webhooks. One without a secret takes none, since forgeries could not be detected. */
export function receiversOf(connections: Iterable<Configured>): Receiver[] {
  const receivers: Receiver[] = [];
  for (const { name, source, config } of connections) {
    const { kind, webhooks } = source;
    const secrets = webhooks?.secrets(config).filter((secret) => secret !== '') ?? [];
    if (webhooks === undefined || secrets.length === 0) continue;
    receivers.push({
      name,
      kind,
      secrets,
      owns: (payload) => webhooks.owns(config, payload),
      fact: (event, payload) => webhooks.fact(event, payload),
    });
  }
  return receivers;
}
