import type { Metadata } from '../params/parse.ts';
import type { AnySource } from '../sources/source.ts';
import { kedaSecretKeys } from './common.ts';

/**
 * A fault for each secret that KEDA took from the workload's environment and sent along: it replaces the value of
 * every `…FromEnv` and knows of no secrets (pkg/scalers/external_scaler.go:125, v2.21). A plain key wins over its
 * `…FromEnv`, but both have been sent; so the metadata is looked at, not what was made of it.
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
