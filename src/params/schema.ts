import { quote } from '../printable.ts';
import { merged, type Range, type Ranges } from './ranges.ts';

/*
 * The value spellings of KEDA's typed config (pkg/scalers/scalersconfig/typed_config.go, v2.21): values are
 * trimmed before they come here, and an empty value is a missing one. Numbers are decimal only.
 */

/** A value that cannot be used; the message says what would be. Collected, never shown alone. */
export class ParamFault extends Error {
  override readonly name = 'ParamFault';
}

/** How much a value may be. A text longer than `characters` is refused unread. */
export interface Most {
  readonly characters: number;
  /** Of a list or of ranges. */
  readonly members?: number;
  /** Characters of each member of a list. */
  readonly memberCharacters?: number;
  /** Of a number, or of each number of ranges. */
  readonly value?: number;
}

/** What holds where a parameter does not say otherwise. */
export const usually = {
  text: 255,
  number: Number.MAX_SAFE_INTEGER,
  /** Members of a list, each as long as a text. */
  members: 100,
  /** Numbers and ranges such as `3-5`. */
  ranges: 1_000,
} as const;

/** One key of a trigger's metadata: how its text is read, what it is without one, and what it means. */
export interface Param<T> {
  /** The type as the documentation prints it. */
  readonly type: string;
  readonly doc: string;
  readonly most: Most;
  /** Reads a trimmed, non-empty text that is no longer than `most.characters`; throws ParamFault. */
  readonly parse: (text: string) => T;
  readonly required: boolean;
  /** The value when the key is missing (and not required). */
  readonly fallback: T;
  /** The default as the documentation prints it; '' for none. */
  readonly defaultText: string;
}

export type ParamTable<P> = { readonly [K in keyof P]: Param<P[K]> };

/**
 * A rule over several keys: what is wrong, or undefined. Taken from a method's type, which is bivariant: a
 * schema whose `P` is no longer known is only ever given what it has parsed itself.
 */
export type Rule<P> = { check(params: P): string | undefined }['check'];

export interface ParamsSchema<P> {
  readonly table: ParamTable<P>;
  readonly rules: readonly Rule<P>[];
}

interface Described {
  doc: string;
}

/** Marks a key as one that must be given; its fallback is then never seen. */
export function required<T>(base: Param<T>): Param<T> {
  return { ...base, required: true, defaultText: '' };
}

function optional<T>(param: Omit<Param<T>, 'required'>): Param<T> {
  return { ...param, required: false };
}

/** `most`: characters. */
export function text({
  doc,
  fallback = '',
  most = usually.text,
}: Described & { fallback?: string; most?: number }): Param<string> {
  return optional({
    type: 'string',
    doc,
    most: { characters: most },
    parse: (value) => value,
    fallback,
    defaultText: fallback,
  });
}

interface ListMost {
  readonly members?: number;
  readonly memberCharacters?: number;
}

/** Separated by commas. Where nothing is given, the value is `fallback` itself. */
export function list({
  doc,
  fallback = [],
  most: { members = usually.members, memberCharacters = usually.text } = {},
}: Described & { fallback?: readonly string[]; most?: ListMost }): Param<readonly string[]> {
  // Each member with its comma and a space.
  const most = { characters: members * (memberCharacters + 2), members, memberCharacters };
  return optional({
    type: 'list',
    doc,
    most,
    parse: (value) => parseList(value, most),
    fallback,
    defaultText: fallback.join(','),
  });
}

function parseList(value: string, most: Required<ListMost>): readonly string[] {
  const members = splitList(value);
  if (members.length > most.members) {
    throw new ParamFault(`has ${members.length} members; the limit is ${most.members}`);
  }
  const long = members.find((member) => member.length > most.memberCharacters);
  if (long !== undefined) {
    throw new ParamFault(`has members of more than ${most.memberCharacters} characters, got ${quote(long)}`);
  }
  return members;
}

/** `a, b,c` → ['a', 'b', 'c']; empty members are dropped. */
export function splitList(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

/** Whole numbers and ranges of them, as `1,3-5`. `most`: the largest number. */
export function ranges({ doc, most: value }: Described & { most: number }): Param<Ranges | undefined> {
  const digits = String(value).length;
  const most = { characters: usually.ranges * (2 * digits + 2), members: usually.ranges, value };
  return optional<Ranges | undefined>({
    type: 'ranges',
    doc,
    most,
    parse: (given) => parseRanges(given, most),
    fallback: undefined,
    defaultText: 'all',
  });
}

const RANGE = /^(\d+)(?:-(\d+))?$/;

function parseRanges(value: string, most: { members: number; value: number }): Ranges {
  const parts = splitList(value);
  if (parts.length > most.members) {
    throw new ParamFault(`has ${parts.length} numbers and ranges; the limit is ${most.members}`);
  }
  return merged(parts.map((part) => parseRange(part, most.value)));
}

function parseRange(part: string, most: number): Range {
  const match = RANGE.exec(part);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (!match || to < from) {
    throw new ParamFault(`must be numbers and ranges such as "1,3-5", got ${quote(part)}`);
  }
  if (to > most) throw new ParamFault(`must be numbers of at most ${most}, got ${quote(part)}`);
  return { from, to };
}

export interface DecimalBounds {
  /** The value must be more than this. */
  above?: number;
  /** The value must be at least this. */
  least?: number;
  most?: number;
}

export function decimal({
  doc,
  fallback,
  ...bounds
}: Described & DecimalBounds & { fallback: number }): Param<number> {
  return optional({
    type: 'number',
    doc,
    most: mostOfNumber(bounds),
    parse: (value) => parseDecimal(value, bounds),
    fallback,
    defaultText: String(fallback),
  });
}

export function optionalDecimal({ doc, ...bounds }: Described & DecimalBounds): Param<number | undefined> {
  return optional<number | undefined>({
    type: 'number',
    doc,
    most: mostOfNumber(bounds),
    parse: (value) => parseDecimal(value, bounds),
    fallback: undefined,
    defaultText: '',
  });
}

const wordCharacters = 64;

function mostOfNumber({ most = usually.number }: DecimalBounds): Most {
  return { characters: wordCharacters, value: most };
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

function parseDecimal(given: string, bounds: DecimalBounds): number {
  const value = DECIMAL.test(given) ? Number(given) : Number.NaN;
  const wanted = describeBounds(bounds);
  if (!Number.isFinite(value)) throw new ParamFault(`must be a decimal number${wanted}, got ${quote(given)}`);
  const { above, least, most } = bounds;
  const outside =
    (above !== undefined && value <= above) ||
    (least !== undefined && value < least) ||
    (most !== undefined && value > most);
  if (outside) throw new ParamFault(`must be a number${wanted}, got ${quote(given)}`);
  if (value > usually.number) {
    throw new ParamFault(
      `must be a number${describeBounds({ ...bounds, most: usually.number })}, got ${quote(given)}`,
    );
  }
  return value;
}

function describeBounds({ above, least, most }: DecimalBounds): string {
  const parts: string[] = [];
  if (above !== undefined) parts.push(`above ${above}`);
  if (least !== undefined) parts.push(`of at least ${least}`);
  if (most !== undefined) parts.push(`of at most ${most}`);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}

export function flag({ doc, fallback = false }: Described & { fallback?: boolean }): Param<boolean> {
  return optional({
    type: 'boolean',
    doc,
    most: { characters: wordCharacters },
    parse: parseGoBool,
    fallback,
    defaultText: String(fallback),
  });
}

/** Go's strconv.ParseBool. */
function parseGoBool(given: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(given)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(given)) return false;
  throw new ParamFault(`must be true or false, got ${quote(given)}`);
}

export function choice<T extends string>({
  doc,
  choices,
  fallback,
}: Described & { choices: readonly T[]; fallback: T }): Param<T> {
  return optional({
    type: choices.join(' \\| '),
    doc,
    most: { characters: wordCharacters },
    parse: (value) => parseChoice(value, choices),
    fallback,
    defaultText: fallback,
  });
}

function parseChoice<T extends string>(given: string, choices: readonly T[]): T {
  const found = choices.find((candidate) => candidate === given);
  if (found === undefined) throw new ParamFault(`must be one of ${choices.join(', ')}, got ${quote(given)}`);
  return found;
}
