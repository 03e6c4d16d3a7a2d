import type { Document, YAMLError } from 'yaml';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parse, parseDocument } from 'yaml';

/** A fault of a file, and the line from 1 that it is about. */
export interface FileFault {
  readonly line: number;
  readonly message: string;
  readonly absent?: Absent | undefined;
}

/** A file or variable that is not on this machine; it may be where the scaler runs. */
export interface Absent {
  /** The setting, as it is written. */
  readonly key: string;
  /** The full path of the file. Undefined for a variable. */
  readonly file?: string | undefined;
}

export type ParsedYaml =
  | {
      value: unknown /** Of a key, or of the nearest above it that is there. */;
      lineOf: (path: Path) => number;
    }
  | { faults: readonly FileFault[] };

/** Reads YAML. Faults say line and column but quote nothing: the line may hold a secret. */
export function parseYaml(text: string): ParsedYaml {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.some(({ code }) => code === 'MULTIPLE_DOCS') && /^kind: /m.test(text))
    return { faults: [{ line: 1, message: isManifests }] };
  if (document.errors.length > 0)
    return { faults: document.errors.map((error) => describe(error, lineCounter)) };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { value, lineOf: (path) => lineCounter.linePos(offsetOf(document, path)).line };
  } catch {
    return { faults: [{ line: 1, message: 'is not YAML: its aliases cannot be resolved' }] };
  }
}

/** Where a key begins, or the nearest above it that is there. */
function offsetOf(document: Document, path: Path): number {
  let [node, offset]: [unknown, number] = [document.contents, 0];
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === part)
      : undefined;
    const item = isSeq(node) && typeof part === 'number' ? node.items[part] : undefined;
    const at = pair?.key ?? item;
    if (!isNode(at)) break;
    offset = at.range?.[0] ?? offset;
    node = pair?.value ?? item;
  }
  return offset;
}

function describe(error: YAMLError, lines: LineCounter): FileFault {
  const { line, col } = lines.linePos(error.pos[0]);
  // Some of the parser's messages go on with the text they are about.
  const message = error.message.split(/[:\n]/, 1)[0] ?? error.message;
  return { line, message: `is not YAML: line ${line}, column ${col}: ${message} (${error.code})` };
}

/** Of a file that holds what Kubernetes gets, instead of a configuration. */
export const isManifests =
  'holds manifests of Kubernetes: give the configuration alone, such as `helm template … --show-only templates/configmap.yaml | yq -r \'.data["config.yaml"]\'`';

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

/** What `convert` writes where no file says a value. */
const toBeFilledIn = 'TO-BE-FILLED-IN';
export const stillUnfilled = 'is still TO-BE-FILLED-IN: write its value there';

/** That nobody has written a value yet, in words that follow its key. */
export function unfilledIn(text: string): string | undefined {
  return text.includes(toBeFilledIn) ? stillUnfilled : undefined;
}

/** Each text of a parsed document that `whyOf` says something of, in words that follow its key. */
export function textsWith(
  value: unknown,
  whyOf: (text: string) => string | undefined,
): readonly { readonly path: Path; readonly text: string }[] {
  const found: { path: Path; text: string }[] = [];
  mapTexts(value, (text, path) => {
    const why = whyOf(text);
    if (why !== undefined) found.push({ path, text: `${pathText(path)}: ${why}` });
    return text;
  });
  return found;
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
  private readonly found: { readonly path: Path; readonly text: string; readonly absent?: Absent }[] = [];
  private readonly paths = new Set<string>();
  private readonly writtenAs = new Map<string, Path>();

  /** Each with the path of the key as it is written. */
  get list(): readonly { readonly path: Path; readonly text: string; readonly absent?: Absent }[] {
    return this.found;
  }

  /** What is already known to be wrong is not complained about again under the same key. */
  add(path: Path, message: string, absent?: Omit<Absent, 'key'>): void {
    this.paths.add(pathText(path));
    const written = this.written(path);
    const key = pathText(written);
    this.found.push({
      path: written,
      text: `${key}: ${message}`,
      ...(absent && { absent: { ...absent, key } }),
    });
  }

  /** The key as the user wrote it: `caFile`, where its content stands at `ca`. */
  written(path: Path): Path {
    return this.writtenAs.get(pathText(path)) ?? path;
  }

  has(path: Path): boolean {
    const key = pathText(path);
    return this.paths.has(key) || this.paths.has(pathText(this.written(path)));
  }

  /** The value at `path` was written under another key: faults name that one. */
  rename(path: Path, written: Path): void {
    this.writtenAs.set(pathText(path), written);
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
  if (value === undefined) faults.add(path, `the environment variable ${name} is not set`, {});
  return value;
}

/** `8080` and `true` out of a variable, for settings that are not text; undefined for everything else. */
export function typedValue(text: unknown): number | boolean | undefined {
  if (typeof text !== 'string' || !/^(true|false|-?\d+(\.\d+)?)[\r\n]*$/.test(text)) return undefined;
  const value: unknown = parse(text);
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}
