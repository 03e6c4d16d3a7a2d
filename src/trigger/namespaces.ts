import { matchesGlob } from '../params/glob.ts';
import type { ConfiguredConnection } from './trigger.ts';

/** Whether a namespace may use a connection; `*` in a pattern stands for any run of characters. */
export function allows({ namespaces }: ConfiguredConnection, namespace: string): boolean {
  return namespaces.some((pattern) => matchesGlob(pattern, namespace));
}
