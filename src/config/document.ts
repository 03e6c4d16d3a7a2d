import type { YAMLError } from 'yaml';
import { LineCounter, parse, parseDocument } from 'yaml';

export type ParsedYaml = { value: unknown } | { faults: readonly string[] };

/** Reads YAML. Faults say line and column but quote nothing: the line may hold a secret. */
export function parseYaml(text: string): ParsedYaml {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0)
    return { faults: document.errors.map((error) => describe(error, lineCounter)) };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch {
    return { faults: ['is not YAML: its aliases cannot be resolved'] };
  }
}

function describe(error: YAMLError, lines: LineCounter): string {
  const { line, col } = lines.linePos(error.pos[0]);
  // Some of the parser's messages go on with the text they are about.
  const message = error.message.split(/[:\n]/, 1)[0] ?? error.message;
  return `is not YAML: line ${line}, column ${col}: ${message} (${error.code})`;
}

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

export type Path = readonly PropertyKey[];

/** `connections.orders.brokers[0]`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

/** What is wrong with a configuration: each fault in one sentence, with the key it is about. */
export class Faults {
  private readonly found: string[] = [];
  private readonly paths = new Set<string>();
  private readonly writtenAs = new Map<string, string>();

  get list(): readonly string[] {
    return this.found;
  }

  /** What is already known to be wrong is not complained about again under the same key. */
  add(path: Path, message: string): void {
    const key = pathText(path);
    this.paths.add(key);
    this.found.push(`${this.writtenAs.get(key) ?? key}: ${message}`);
  }

  has(path: Path): boolean {
    const key = pathText(path);
    return this.paths.has(key) || this.paths.has(this.writtenAs.get(key) ?? key);
  }

  /** The value at `path` was written under another key: faults name that one. */
  rename(path: Path, written: Path): void {
    this.writtenAs.set(pathText(path), pathText(written));
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\$\{|\$\{([^}]*)(\}?)/g;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface Expanded {
  value: unknown;
  /** Where a variable was put in: what it holds is text, also where the setting is a number. */
  paths: ReadonlySet<string>;
}

/** Puts the environment's variables in place of `${NAME}`; `$${` stands for the two characters themselves. */
export function expandEnvironment(document: unknown, environment: Environment, faults: Faults): Expanded {
  const paths = new Set<string>();
  const value = mapTexts(document, (text, path) => {
    if (!text.includes('${')) return text;
    return text.replace(reference, (match: string, name: string | undefined, closed: string) => {
      if (match === '$${') return '${';
      const found = lookUp(name ?? '', closed !== '', environment, faults, path);
      if (found !== undefined) paths.add(pathText(path));
      return found ?? '';
    });
  });
  return { value, paths };
}

function lookUp(
  name: string,
  closed: boolean,
  environment: Environment,
  faults: Faults,
  path: Path,
): string | undefined {
  if (!closed || !variableName.test(name)) {
    faults.add(
      path,
      'a dollar sign and "{" must be followed by the name of a variable and "}"; write two dollar signs for the text itself',
    );
    return undefined;
  }
  const value = environment[name];
  if (value === undefined) faults.add(path, `the environment variable ${name} is not set`);
  return value;
}

/** `8080` and `true` out of a variable, for settings that are not text; undefined for everything else. */
export function typedValue(text: unknown): number | boolean | undefined {
  if (typeof text !== 'string' || !/^(true|false|-?\d+(\.\d+)?)[\r\n]*$/.test(text)) return undefined;
  const value: unknown = parse(text);
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}
