import type { z } from 'zod';
import { didYouMean } from '../params/suggest.ts';
import type { Faults, Path } from './faults.ts';
import { knownKeys } from './known-keys.ts';
import { valueAt } from './tree.ts';

type Issue = z.core.$ZodIssue;

/** Adds a fault for each issue. Values are never shown: any of them could be a secret in the wrong place. */
export function addIssues(
  faults: Faults,
  issues: readonly Issue[],
  {
    schema,
    input,
    at,
    commonKeys = [],
  }: { schema: z.ZodType; input: unknown; at: Path; commonKeys?: readonly string[] },
): void {
  for (const issue of issues.flatMap((one) => flatten(one))) {
    const path = [...at, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      const known = [...knownKeys(schema, issue.path), ...(issue.path.length === 0 ? commonKeys : [])];
      for (const key of issue.keys) faults.add([...path, key], `unknown key${didYouMean(key, known)}`);
    } else if (!faults.has(path)) {
      const missing = valueAt(input, issue.path) === undefined;
      faults.add(path, missing ? requiredBecause(issue) : describe(issue));
    }
  }
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
