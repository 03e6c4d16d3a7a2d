import { createHash } from 'node:crypto';
import type { Reference } from './trigger.ts';

/**
 * All of a reference in one text, its metadata in order: KEDA sends a map, and Go shuffles maps at each call.
 * Lengths keep apart what only looks alike when it is put together.
 */
export function keyOf({ namespace, name, metadata }: Reference): string {
  let key = `${namespace.length}:${namespace}${name.length}:${name}`;
  for (const field of Object.keys(metadata).sort()) {
    const value = metadata[field] ?? '';
    key += `${field.length}:${field}${value.length}:${value}`;
  }
  return key;
}

/** The identity of the trigger a reference means: KEDA sends neither uid nor trigger index. */
export function identityOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
