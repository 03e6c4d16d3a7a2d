import { createHash } from 'node:crypto';
import type { Reference } from './trigger.ts';

/** Equal for equal references, whatever the order of their metadata: KEDA sends neither uid nor trigger index. */
export function identityOf({ namespace, name, metadata }: Reference): string {
  const sorted = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([namespace, name, sorted]))
    .digest('base64url');
}
