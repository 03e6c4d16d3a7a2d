import type { Path } from './faults.ts';

export type Mapping = Record<string, unknown>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of a parsed document, or undefined. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part];
    else if (isMapping(value) && typeof part === 'string' && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}

/** Replaces every text of a parsed document; keys stay as they are. The document itself is not changed. */
export function mapTexts(
  value: unknown,
  change: (text: string, path: Path) => unknown,
  at: Path = [],
): unknown {
  if (typeof value === 'string') return change(value, at);
  if (Array.isArray(value)) return value.map((member, i) => mapTexts(member, change, [...at, i]));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, mapTexts(member, change, [...at, key])]),
  );
}
