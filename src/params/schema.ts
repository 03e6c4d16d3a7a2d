import type { DecimalBounds } from './values.ts';
import { parseChoice, parseDecimal, parseGoBool, parseList, parseRanges } from './values.ts';

/** One key of a trigger's metadata: how its text is read, what it is without one, and what it means. */
export interface Param<T> {
  /** The type as the documentation prints it. */
  readonly type: string;
  readonly doc: string;
  /** Reads a trimmed, non-empty text; throws ParamFault. */
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

function param<T>(
  type: string,
  doc: string,
  parse: (text: string) => T,
  fallback: T,
  defaultText: string,
): Param<T> {
  return { type, doc, parse, required: false, fallback, defaultText };
}

/** Marks a key as one that must be given; its fallback is then never seen. */
export function required<T>(base: Param<T>): Param<T> {
  return { ...base, required: true, defaultText: '' };
}

export function text({ doc, fallback = '' }: Described & { fallback?: string }): Param<string> {
  return param('string', doc, (value) => value, fallback, fallback);
}

/** Where nothing is given, the value is `fallback` itself. */
export function list({
  doc,
  fallback = [],
}: Described & { fallback?: readonly string[] }): Param<readonly string[]> {
  return param<readonly string[]>('list', doc, parseList, fallback, fallback.join(','));
}

export function ranges({ doc }: Described): Param<ReadonlySet<number> | undefined> {
  return param<ReadonlySet<number> | undefined>('ranges', doc, parseRanges, undefined, 'all');
}

export function decimal({
  doc,
  fallback,
  ...bounds
}: Described & DecimalBounds & { fallback: number }): Param<number> {
  return param('number', doc, (value) => parseDecimal(value, bounds), fallback, String(fallback));
}

export function optionalDecimal({ doc, ...bounds }: Described & DecimalBounds): Param<number | undefined> {
  return param<number | undefined>('number', doc, (value) => parseDecimal(value, bounds), undefined, '');
}

export function flag({ doc, fallback = false }: Described & { fallback?: boolean }): Param<boolean> {
  return param('boolean', doc, parseGoBool, fallback, String(fallback));
}

export function choice<T extends string>({
  doc,
  choices,
  fallback,
}: Described & { choices: readonly T[]; fallback: T }): Param<T> {
  return param(choices.join(' \\| '), doc, (value) => parseChoice(value, choices), fallback, fallback);
}
