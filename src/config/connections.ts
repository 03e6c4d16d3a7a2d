import { createHmac, randomBytes } from 'node:crypto';
import { didYouMean } from '../params/suggest.ts';
import type { AnySource, ConfiguredConnection } from '../sources/source.ts';
import type { Faults } from './faults.ts';
import { validate } from './validate.ts';

export interface ConnectionEntry {
  name: string;
  source: string;
  namespaces: readonly string[];
  /** The source's own settings, secrets read. */
  settings: Readonly<Record<string, unknown>>;
}

export interface ConnectionRules {
  sources: readonly AnySource[];
  /** Paths whose text came out of the environment. */
  expanded: ReadonlySet<string>;
  allowPlaintextSecrets: boolean;
}

/** One entry of `connections`, read by its source's schema; undefined where it has faults. */
export function configureConnection(
  { name, source: kind, namespaces, settings }: ConnectionEntry,
  { sources, expanded, allowPlaintextSecrets }: ConnectionRules,
  faults: Faults,
): ConfiguredConnection | undefined {
  const at = ['connections', name];
  const source = sources.find((one) => one.kind === kind);
  if (source === undefined) {
    const kinds = sources.map((one) => one.kind);
    faults.add([...at, 'source'], `must be one of ${kinds.join(', ')}${didYouMean(kind, kinds)}`);
    return undefined;
  }
  const config = validate(
    source.config,
    settings,
    { at, expanded, commonKeys: ['source', 'namespaces'] },
    faults,
  );
  if (config === undefined) return undefined;
  if (!allowPlaintextSecrets && source.sendsSecretInPlaintext?.(config.value)) {
    faults.add(
      at,
      'would send its password or token without TLS: set tls, or security.allowPlaintextSecrets',
    );
    return undefined;
  }
  const fingerprint = fingerprintOf(kind, namespaces, config.value);
  const place = JSON.stringify(kind);
  return { name, source, config: config.value, namespaces, fingerprint, place };
}

/** Keyed by the process, so that nobody can guess a short password from its hash in a log. */
const fingerprintKey = randomBytes(32);

/** Schemas give keys in their own order, however they were written. */
function fingerprintOf(kind: string, namespaces: readonly string[], config: unknown): string {
  const text = JSON.stringify([kind, namespaces, config]);
  return createHmac('sha256', fingerprintKey).update(text).digest('hex');
}
