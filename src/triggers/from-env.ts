import { hash } from 'node:crypto';
import type { Given, Metadata } from '../params/parse.ts';
import type { Param } from '../params/schema.ts';
import type { AnySource } from '../sources/source.ts';
import { kedaSecretKeys } from './common-params.ts';

const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/**
 * Takes out of messages about a trigger what came from the workload's environment, which may be a secret. Values are
 * quoted in messages, whole or a part of them, and may be cut.
 */
export function hidingFromEnv(given: Iterable<Given>): (message: string) => string {
  const hidden = [...given]
    .filter(({ key }) => key.endsWith('FromEnv'))
    .map(({ value }) => value.toLowerCase());
  if (hidden.length === 0) return (message) => message;
  return (message) =>
    message.replace(QUOTED, (quoted) => {
      const text = quotedText(quoted).toLowerCase();
      const isPart = text !== '' && hidden.some((value) => value.includes(text));
      return isPart ? '(a value from the environment)' : quoted;
    });
}

const digestLength = 8;

/**
 * Hides in the parts of a metric's name what came from the workload's environment: the name is in the HPA's status, in
 * events and in what Prometheus keeps. A hash stands for it, equal in every pod and after a restart.
 */
export function namesHidingFromEnv(
  { params }: AnySource,
  given: ReadonlyMap<string, Given>,
): (part: string) => string {
  const hidden = Object.entries<Param<unknown>>(params.table)
    .filter(
      ([name, { type }]) =>
        given.get(name)?.key.endsWith('FromEnv') && type !== 'number' && type !== 'boolean',
    )
    .map(([name]) => given.get(name)?.value.toLowerCase() ?? '');
  // A name may be a part of its value: the queue of a URL, a topic of a list.
  return (part) =>
    hidden.some((value) => value.includes(part.toLowerCase()))
      ? `env-${hash('sha256', part, 'hex').slice(0, digestLength)}`
      : part;
}

/** What is between the quotes, as it was before `quote` wrote it as JSON. */
function quotedText(quoted: string): string {
  try {
    return String(JSON.parse(quoted)).replace(/…$/, '');
  } catch {
    return quoted.slice(1, -1);
  }
}

/**
 * A fault for each secret that KEDA took from the workload's environment and sent along: it replaces the value of
 * every `…FromEnv` and knows of no secrets (pkg/scalers/external_scaler.go:125, v2.21). A plain key wins over its
 * `…FromEnv`, but both have been sent; so this checks the metadata, not the parsed values.
 */
export function secretsFromEnv({ connectionKeys }: AnySource, metadata: Metadata): string[] {
  const secretKeys = [
    ...kedaSecretKeys,
    ...Object.keys(connectionKeys).filter((key) => connectionKeys[key]?.secret),
  ];
  return secretKeys
    .map((key) => `${key}FromEnv`)
    .filter((key) => (metadata[key] ?? '').trim() !== '')
    .map(
      (key) =>
        `${key}: is a secret, and came over gRPC without TLS: take it out (the connection has its own credentials) and replace the secret; or set grpc.tls, or security.allowPlaintextSecrets`,
    );
}
