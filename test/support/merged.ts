import { isMapping } from '../../src/config/document.ts';

/** Merges values over values as Helm does: mappings by key, everything else as a whole. */
export function merged(before: unknown, after: unknown): unknown {
  if (!isMapping(before) || !isMapping(after)) return after;
  const entries = Object.entries(after).map(([key, value]) => [key, merged(before[key], value)]);
  return { ...before, ...Object.fromEntries(entries) };
}
