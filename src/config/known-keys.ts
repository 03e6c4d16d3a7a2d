import { z } from 'zod';
import type { Path } from './faults.ts';
import { fileSpellings } from './secrets.ts';
import { isMapping } from './tree.ts';

/** The keys that a schema knows at a path, with the `…File` and `…Files` spellings of its secrets. */
export function knownKeys(schema: z.ZodType, path: Path): string[] {
  const json: unknown = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  let nodes = members(json);
  for (const part of path) nodes = nodes.flatMap((node) => members(child(node, part)));
  return nodes.flatMap((node) =>
    isMapping(node['properties']) ? withFileKeys(Object.keys(node['properties'])) : [],
  );
}

/** A node and, where it is a union, its members. */
function members(node: unknown): Record<string, unknown>[] {
  if (!isMapping(node)) return [];
  const unions = [node['anyOf'], node['oneOf'], node['allOf']].filter((union) => Array.isArray(union));
  return [node, ...unions.flat().flatMap((member) => members(member))];
}

function child(node: Record<string, unknown>, part: PropertyKey): unknown {
  if (typeof part === 'number') return node['items'];
  const { properties, additionalProperties } = node;
  if (isMapping(properties) && typeof part === 'string' && Object.hasOwn(properties, part))
    return properties[part];
  return additionalProperties;
}

export function withFileKeys(keys: readonly string[]): string[] {
  return keys.flatMap((key) => [key, ...fileSpellings(key)]);
}
