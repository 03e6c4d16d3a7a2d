import { z } from 'zod';
import { didYouMean } from '../params/suggest.ts';
import type { Faults, Path } from './document.ts';
import { isMapping, mapTexts, pathText, typedValue, valueAt } from './document.ts';
import { type FileSettings, fileSpelling } from './files.ts';

export interface Where {
  /** Where the value stands in the configuration. */
  at: Path;
  /** Paths whose text came out of the environment. */
  expanded: ReadonlySet<string>;
  /** Keys that are known at this place though the schema does not have them. */
  commonKeys?: readonly string[];
  /** The settings that may come from files. */
  fileSettings?: FileSettings;
}

/** Reads a value by its schema and adds every fault; undefined where there was one. */
export function validate<T>(
  schema: z.ZodType<T>,
  input: unknown,
  where: Where,
  faults: Faults,
): { value: T } | undefined {
  const first = schema.safeParse(input);
  if (first.success) return { value: first.data };
  const typed = typeExpanded(
    input,
    new Set(first.error.issues.map((issue) => pathText([...where.at, ...issue.path]))),
    where,
  );
  const second = schema.safeParse(typed);
  if (second.success) return { value: second.data };
  addIssues(faults, second.error.issues, { schema, input: typed, ...where });
  return undefined;
}

/** The text of a variable that was refused as text is read as a number, true or false. */
function typeExpanded(input: unknown, refused: ReadonlySet<string>, { at, expanded }: Where): unknown {
  return mapTexts(input, (text, path) => {
    const key = pathText([...at, ...path]);
    return refused.has(key) && expanded.has(key) ? (typedValue(text) ?? text) : text;
  });
}

type Issue = z.core.$ZodIssue;

/** Adds a fault for each issue. Values are never shown: any of them could be a secret in the wrong place. */
function addIssues(
  faults: Faults,
  issues: readonly Issue[],
  { schema, input, at, commonKeys = [], fileSettings = {} }: Where & { schema: z.ZodType; input: unknown },
): void {
  for (const issue of issues.flatMap((one) => flatten(one))) {
    const path = [...at, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      const common = issue.path.length === 0 ? commonKeys : [];
      const known = [...knownKeys(schema, issue.path, fileSettings), ...common];
      const chosen = choiceOf(schema, issue.path, valueAt(input, issue.path));
      for (const key of issue.keys) {
        const foreign = chosen !== undefined && known.includes(key);
        const written = String(faults.written([...path, key]).at(-1));
        const keysOf = (outer: string) => knownKeys(schema, [...issue.path, outer], fileSettings);
        const hint = belongsIn(written, known, keysOf) ?? didYouMean(key, known);
        const message = foreign ? `is not used with ${chosen}` : `unknown key${hint}`;
        faults.add([...path, key], message);
      }
    } else if (!faults.has(path)) {
      // A rule between settings may be about one that has its default.
      const missing = issue.code !== 'custom' && valueAt(input, issue.path) === undefined;
      faults.add(path, missing ? requiredBecause(issue) : describe(issue));
    }
  }
}

/** ` (did you mean "tls.caFile"?)`, where exactly one of the known keys is a mapping that has this one. */
function belongsIn(
  key: string,
  known: readonly string[],
  keysOf: (outer: string) => readonly string[],
): string | undefined {
  const outer = known.filter((one) => keysOf(one).includes(key));
  return outer.length === 1 ? ` (did you mean "${outer[0]}.${key}"?)` : undefined;
}

/** A schema may say why it has no default: by an error that begins with the same words. */
function requiredBecause({ message }: Issue): string {
  return message.startsWith('is required') ? message : 'is required';
}

/**
 * A value that fits no member of a union: where exactly one member is of the value's shape, that member's
 * issues are what the user needs to read.
 */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const near = issue.errors.filter((member) => !member.some(isShapeIssue));
  const [only] = near;
  if (near.length !== 1 || only === undefined) return [issue];
  return only.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
}

function isShapeIssue(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function describe(issue: Issue): string {
  // What a schema says itself; zod's own texts begin otherwise.
  if (issue.message.startsWith('must be ')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeName(issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.maximum, issue.origin)}`;
    case 'invalid_union':
      return describeUnion(issue);
    case 'invalid_key':
      return `this name ${issue.issues.map((inner) => inner.message).join(' and ')}`;
    default:
      return lowerFirst(issue.message);
  }
}

function describeUnion(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  if ('options' in issue && Array.isArray(issue.options)) return `must be one of ${issue.options.join(', ')}`;
  const members = issue.errors.flatMap((member) => member.slice(0, 1).map((inner) => describe(inner)));
  return members.length === 0 ? 'cannot be used' : [...new Set(members)].join(', or ');
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    object: 'a mapping of keys to values',
    record: 'a mapping of keys to values',
    array: 'a list',
    string: 'text (quote it if it looks like a number)',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[expected] ?? expected;
}

function amount(bound: number | bigint, origin: string): string {
  if (origin === 'string') return `${bound} character${Number(bound) === 1 ? '' : 's'} long`;
  if (origin === 'array') return `${bound} item${Number(bound) === 1 ? '' : 's'} long`;
  return String(bound);
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** The keys that a schema knows at a path, with the `…File` and `…Files` spellings of its secrets. */
function knownKeys(schema: z.ZodType, path: Path, fileSettings: FileSettings): string[] {
  return nodesAt(schema, path).flatMap((node) =>
    isMapping(node['properties']) ? withFileKeys(Object.keys(node['properties']), fileSettings) : [],
  );
}

/** `mechanism oauthbearer`: which of several shapes a value has chosen. Undefined if there is only one. */
function choiceOf(schema: z.ZodType, path: Path, value: unknown): string | undefined {
  const shapes = nodesAt(schema, path).flatMap((node) => {
    const { properties } = node;
    return isMapping(properties) ? Object.entries(properties) : [];
  });
  const choice = shapes.find(([, node]) => isMapping(node) && 'const' in node)?.[0];
  return choice === undefined ? undefined : `${choice} ${String(valueAt(value, [choice]))}`;
}

function nodesAt(schema: z.ZodType, path: Path): Record<string, unknown>[] {
  const json: unknown = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  let nodes = members(json);
  for (const part of path) nodes = nodes.flatMap((node) => members(child(node, part)));
  return nodes;
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

export function withFileKeys(keys: readonly string[], settings: FileSettings): string[] {
  return keys.flatMap((key) => [key, fileSpelling(key, settings) ?? []].flat());
}
