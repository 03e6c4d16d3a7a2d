import { quote } from '../printable.ts';
import { type Param, ParamFault, type ParamsSchema } from './schema.ts';
import { didYouMean } from './suggest.ts';

export type Metadata = Readonly<Record<string, string>>;

/** One value as it was given. */
export interface Given {
  value: string;
  /** The key it came from: `x` or `xFromEnv`. */
  key: string;
  /** `value` is the name of a variable: what that holds is not known. */
  unseen?: true;
}

const FROM_ENV = 'FromEnv';

/**
 * Folds `xFromEnv` into `x`: KEDA replaces the value by the target's environment but keeps the key's suffix
 * (pkg/scalers/external_scaler.go:125, v2.21). The plain key wins; values are trimmed, empty ones are missing.
 * `asWritten`: before KEDA has done so.
 */
export function givenValues(metadata: Metadata, asWritten = false): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>();
  for (const [key, raw] of Object.entries(metadata)) {
    const value = trimmed(raw);
    const fromEnv = key.endsWith(FROM_ENV) && key.length > FROM_ENV.length;
    const name = fromEnv ? key.slice(0, -FROM_ENV.length) : key;
    if (value === '' || (fromEnv && given.has(name) && given.get(name)?.key === name)) continue;
    given.set(name, fromEnv && asWritten ? { value, key, unseen: true } : { value, key });
  }
  return given;
}

/** A copy where there was whitespace: V8's `trim` gives a view of the whole text, and keeps 60 KB for a short name. */
function trimmed(raw: string): string {
  const value = raw.trim();
  return value.length === raw.length ? raw : structuredClone(value);
}

export interface Parsed<P> {
  params: P;
  faults: string[];
}

/** Reads every key of the schema and collects all faults. `params` is complete only without faults. */
export function parseParams<P>(schema: ParamsSchema<P>, given: ReadonlyMap<string, Given>): Parsed<P> {
  const faults: string[] = [];
  const params: Partial<Record<string, unknown>> = {};
  let unseen = false;
  for (const [name, param] of Object.entries<Param<unknown>>(schema.table)) {
    const found = given.get(name);
    if (found?.unseen) [params[name], unseen] = [param.fallback, true];
    else if (found) params[name] = parseOne(param, found, faults);
    else if (param.required) faults.push(`${name}: is required (or ${name}${FROM_ENV}): ${param.doc}`);
    else params[name] = param.fallback;
  }
  // Rules look at several keys at once; they are only asked when each key by itself is sound, and seen.
  if (faults.length === 0 && !unseen) {
    for (const rule of schema.rules) {
      const fault = rule(params as P);
      if (fault !== undefined) faults.push(fault);
    }
  }
  return { params: params as P, faults };
}

function parseOne(param: Param<unknown>, { value, key }: Given, faults: string[]): unknown {
  if (value.length > param.most.characters) {
    faults.push(tooLong(key, value, param.most.characters));
    return param.fallback;
  }
  try {
    return param.parse(value);
  } catch (reason) {
    if (!(reason instanceof ParamFault)) throw reason;
    // What came from the environment may be a secret: say which key, not what it holds.
    const message = key.endsWith(FROM_ENV) ? hideValue(reason.message) : reason.message;
    faults.push(`${key}: ${message}`);
    return param.fallback;
  }
}

/** Nothing of the value is in it. */
export function tooLong(key: string, value: string, most: number): string {
  return `${key}: has ${value.length} characters; the limit is ${most}`;
}

function hideValue(message: string): string {
  return message.replace(/, got .*$/s, ', got a value from the environment that is not');
}

/** The faults of given keys that nobody knows: the first `most` of them, and how many there are more. */
export function unknownKeys(
  given: ReadonlyMap<string, Given>,
  known: ReadonlySet<string>,
  most: number,
): { faults: string[]; more: number } {
  const unknown = [...given].filter(([name]) => !known.has(name));
  const faults = unknown
    .slice(0, most)
    .map(([name, { key }]) => `${quote(key)}: unknown key${didYouMean(name, known)}`);
  return { faults, more: unknown.length - faults.length };
}
