import { createHash, createHmac, randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { didYouMean } from '../params/suggest.ts';
import { exampleIn, marksIn } from '../placeholders.ts';
import type { AnySource, ConfiguredConnection, NamedConnection } from '../sources/source.ts';
import type { PortTls, TlsSecret } from './chart-tls.ts';
import { besideChartKeys, type ChartValues, chartValuesOf } from './chart-values.ts';
import type { Absent, Environment, FileFault, Mapping, Path } from './document.ts';
import {
  expandEnvironment,
  Faults,
  isManifests,
  isMapping,
  parseYaml,
  stillUnfilled,
  textsWith,
  unfilledIn,
  valueAt,
} from './document.ts';
import { ConfigFiles, ownFileSettings, type ReadFile, readSecrets, sectionFiles } from './files.ts';
import { openConnections, openPort, usable } from './open-connections.ts';
import { checkConnection, checkEventLog, checkSink } from './plaintext.ts';
import type { LiveSettings, StartSettings } from './schema.ts';
import { configSchema, connectionSchema, settingsOf } from './schema.ts';
import { validate } from './validate.ts';

/** What a part's `prepare` sees: only what is taken while running. */
export interface LoadedConfig {
  readonly settings: LiveSettings;
  readonly connections: ReadonlyMap<string, ConfiguredConnection>;
}

/** A configuration that can be used. */
export interface Loaded {
  readonly kind: 'loaded';
  readonly config: LoadedConfig;
  /** What is only taken at the start. */
  readonly start: StartSettings;
  readonly guards: Guards;
  readonly stamps: Stamps;
  /** Of the gRPC port. */
  readonly tls: PortTls;
  readonly chart?: GivenChart | undefined;
  /** What is allowed, and probably not meant. */
  readonly doubts?: readonly FileFault[];
}

/**
 * The settings of the file that could keep callers out, by key, and whether each does. A file that is cut short lacks
 * some of them, and is valid all the same.
 */
export type Guards = ReadonlyMap<string, boolean>;

/** What every file looked like when it was read, by path. A change of one triggers another load. */
export type Stamps = ReadonlyMap<string, string>;

/** What the file holds, if it is not the configuration alone. */
export interface GivenChart extends Omit<ChartValues, 'faults' | 'doubts' | 'tlsSecrets'> {
  readonly faults: readonly FileFault[];
  readonly tlsSecrets: readonly (TlsSecret & { readonly line: number })[];
}

export type LoadResult =
  | Loaded
  | {
      readonly kind: 'refused';
      readonly faults: readonly FileFault[];
      readonly stamps: Stamps;
      /** What is known of its connections all the same; undefined where one does not say its source or namespaces. */
      readonly connections?: ReadonlyMap<string, NamedConnection> | undefined;
      /** Undefined where the file could not be read so far. */
      readonly tls?: PortTls;
      readonly chart?: GivenChart | undefined;
      readonly doubts?: readonly FileFault[];
    };

export interface LoadContext {
  readonly environment: Environment;
  readonly sources: readonly AnySource[];
  /** What was read already, of standard input or a pipe. Its paths are relative to the working directory. */
  readonly read?: ReadFile;
  /** Takes the chart's values as well, reads the configuration in them, and looks for what is probably not meant. */
  readonly isCheck?: boolean;
}

/** Reads the configuration and every secret it names. Never throws for what a user wrote: all faults come at once. */
export async function loadConfig(
  file: string,
  { environment, sources, read: given, isCheck = false }: LoadContext,
): Promise<LoadResult> {
  const path = given === undefined ? resolve(file) : file;
  const files = new ConfigFiles(given === undefined ? dirname(path) : process.cwd());
  const read = given ?? (await files.read(path));
  const { stamps } = files;
  const refuse = (faults: readonly FileFault[]): LoadResult => ({
    kind: 'refused',
    faults: faults.map(({ line, message }) => ({ line, message: `${path} ${message}` })),
    stamps,
  });
  if ('problem' in read) return refuse([{ line: 1, message: read.problem }]);
  const parsed = parseYaml(read.text);
  if ('faults' in parsed) return refuse(parsed.faults);
  const inFile = (
    found: readonly { path: Path; text: string; absent?: Absent }[],
    below: Path,
  ): readonly FileFault[] =>
    found.map(({ path: at, text, absent }) => ({
      line: parsed.lineOf([...below, ...at]),
      message: text,
      absent,
    }));
  const values = isCheck ? chartValuesOf(parsed.value, sources) : undefined;
  const chart: GivenChart | undefined = values && {
    ...values,
    faults: inFile(values.faults, []),
    tlsSecrets: values.tlsSecrets.map((one) => ({ ...one, line: parsed.lineOf(one.path) })),
  };
  const other = chart === undefined ? otherThanConfiguration(parsed.value) : undefined;
  if (other !== undefined) return refuse([{ line: 1, message: other }]);

  const faults = new Faults();
  const { value, paths } = expandEnvironment(chart?.config ?? parsed.value, environment, faults);
  for (const { path: at } of textsWith(value, unfilledIn)) faults.add(at, stillUnfilled);
  const document = await withSecrets(value, sources, files, faults);
  const tls = chart?.tls ?? tlsOf(document);
  const below = chart === undefined ? [] : ['config'];
  // Of files' names, before withSecrets has put contents in their place.
  const written = isMapping(value) ? value : {};
  const doubts = isCheck
    ? [
        ...inFile([...(values?.doubts ?? []), ...textsWith(parsed.value, exampleIn)], []),
        ...inFile([...openConnections(written['connections'], sources), ...openPort(written)], below),
        ...marksIn(read.text),
      ]
    : [];
  const found = await readDocument(document, { sources, expanded: paths, files }, faults);
  if (found === undefined || faults.list.length > 0) {
    return {
      kind: 'refused',
      faults: inFile(faults.list, below),
      stamps,
      connections: namedConnections(document['connections'], sources),
      tls,
      chart,
      doubts,
    };
  }
  return { kind: 'loaded', ...found, tls, stamps, chart, doubts };
}

function tlsOf(document: Mapping): PortTls {
  if (valueAt(document, ['grpc', 'tls']) === undefined) return 'none';
  return valueAt(document, ['grpc', 'tls', 'clientCaFile']) === undefined ? 'server' : 'mutual';
}

/** What a file holds, where it is no configuration at all. */
function otherThanConfiguration(value: unknown): string | undefined {
  if (!isMapping(value)) return 'must be a mapping of keys to values, see docs/configuration.md';
  if (typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string') return isManifests;
  if (isMapping(value['config']))
    return "holds the chart's values: give what is below `config`, such as `yq .config values.yaml`";
  return besideChartKeys(value);
}

function namedConnections(
  entries: unknown,
  sources: readonly AnySource[],
): ReadonlyMap<string, NamedConnection> | undefined {
  const read = z.record(z.string(), connectionSchema).safeParse(entries);
  if (!read.success) return undefined;
  const named = new Map<string, NamedConnection>();
  for (const [name, { source: kind, namespaces, ...settings }] of Object.entries(read.data)) {
    const source = sources.find((one) => one.kind === kind);
    if (source === undefined) return undefined;
    named.set(name, { name, source, namespaces, config: usable(source, settings) });
  }
  return named;
}

/** Of connections, and of the sections that have any; the gRPC server reads its own files, again and again. */
async function withSecrets(
  document: unknown,
  sources: readonly AnySource[],
  files: ConfigFiles,
  faults: Faults,
): Promise<Mapping> {
  const changed = isMapping(document) ? { ...document } : {};
  for (const [key, known] of Object.entries(sectionFiles)) {
    if (!Object.hasOwn(changed, key)) continue;
    changed[key] = await readSecrets(changed[key], known, { files, faults, at: [key] });
  }
  const { connections } = changed;
  if (!isMapping(connections)) return changed;
  const read = Object.entries(connections).map(async ([name, entry]): Promise<[string, unknown]> => {
    const source = isMapping(entry) ? sources.find(({ kind }) => kind === entry['source']) : undefined;
    return [
      name,
      await readSecrets(entry, source?.files ?? {}, { files, faults, at: ['connections', name] }),
    ];
  });
  return { ...changed, connections: Object.fromEntries(await Promise.all(read)) };
}

interface Reading {
  sources: readonly AnySource[];
  /** Paths whose text came out of the environment. */
  expanded: ReadonlySet<string>;
  files: ConfigFiles;
}

async function readDocument(
  document: Mapping,
  { sources, expanded, files }: Reading,
  faults: Faults,
): Promise<Pick<Loaded, 'config' | 'start' | 'guards'> | undefined> {
  const root = validate(configSchema, document, { at: [], expanded, fileSettings: ownFileSettings }, faults);
  const entries = isMapping(document['connections']) ? document['connections'] : {};
  const connections = new Map<string, ConfiguredConnection>();
  const allowPlaintextSecrets = root?.value.security.allowPlaintextSecrets ?? true;
  for (const [name, entry] of Object.entries(entries)) {
    // An entry that is no mapping or names no source has its fault already.
    if (!isMapping(entry) || typeof entry['source'] !== 'string') continue;
    const { source, namespaces: _, ...settings } = entry;
    const namespaces = root?.value.connections[name]?.namespaces ?? [];
    const rules = { sources, expanded, allowPlaintextSecrets };
    const connection = configureConnection({ name, source, namespaces, settings }, rules, faults);
    if (connection !== undefined) connections.set(name, connection);
  }
  if (root === undefined) return undefined;
  const { start, live } = settingsOf(root.value);
  checkTokens(live.ingest.tokens, Object.keys(entries), faults);
  if (!live.security.allowPlaintextSecrets) {
    checkSink(live.decisions, faults);
    checkEventLog(start.eventLog, faults);
  }
  const grpc = await withPaths(start.grpc, files, faults);
  return {
    config: { settings: live, connections },
    start: { ...start, grpc, eventLog: withDir(start.eventLog, files) },
    guards: guardsOf(document, connections),
  };
}

interface ConnectionEntry {
  name: string;
  source: string;
  namespaces: readonly string[];
  /** The source's own settings, secrets read. */
  settings: Mapping;
}

interface ConnectionRules {
  sources: readonly AnySource[];
  expanded: ReadonlySet<string>;
  allowPlaintextSecrets: boolean;
}

/** One entry of `connections`, read by its source's schema; undefined where it has faults. */
function configureConnection(
  { name, source: kind, namespaces, settings }: ConnectionEntry,
  { sources, expanded, allowPlaintextSecrets }: ConnectionRules,
  faults: Faults,
): ConfiguredConnection | undefined {
  const at = ['connections', name];
  const source = sources.find((one) => one.kind === kind);
  if (source === undefined) {
    const kinds = sources.map((one) => one.kind);
    faults.add([...at, 'source'], `must be one of ${kinds.join(', ')}${didYouMean(kind, kinds)}`);
    return undefined;
  }
  const where = {
    at,
    expanded,
    commonKeys: ['source', 'namespaces'],
    fileSettings: source.files ?? {},
  };
  const read = validate(source.config, settings, where, faults);
  if (read === undefined) return undefined;
  const config = read.value;
  if (!allowPlaintextSecrets && checkConnection(name, { source, config, settings }, faults)) return undefined;
  return {
    name,
    source,
    config,
    namespaces,
    fingerprint: fingerprintOf(source, config),
    place: placeOf(name, source, config),
  };
}

/** Keyed by the process, so that nobody can guess a short password from its hash in a log. */
const fingerprintKey = randomBytes(32);

/** Of what the upstream sees. Schemas give keys in their own order, however they were written. */
function fingerprintOf({ kind, local = [] }: AnySource, config: unknown): string {
  const seen = isMapping(config)
    ? Object.fromEntries(Object.entries(config).filter(([key]) => !local.includes(key)))
    : config;
  return createHmac('sha256', fingerprintKey)
    .update(JSON.stringify([kind, seen]))
    .digest('hex');
}

/** CloudEvents are sent to the name of a connection, so the name is part of the place. */
function placeOf(name: string, source: AnySource, config: unknown): string {
  const told = source.cloudEvents === undefined ? [] : [name];
  const text = JSON.stringify([source.kind, source.place(config), ...told]);
  return createHash('sha256').update(text).digest('base64url');
}

/** A token may list only existing connections. */
function checkTokens(
  tokens: LiveSettings['ingest']['tokens'],
  names: readonly string[],
  faults: Faults,
): void {
  for (const [i, { connections }] of tokens.entries()) {
    for (const [j, name] of connections.entries()) {
      if (names.includes(name)) continue;
      const message = `there is no connection of this name${didYouMean(name, names)}`;
      faults.add(['ingest', 'tokens', i, 'connections', j], message);
    }
  }
}

/** The event log's directory, as a full path; it is made where it is not there. */
function withDir(eventLog: StartSettings['eventLog'], files: ConfigFiles): StartSettings['eventLog'] {
  return eventLog.type === 'file' ? { ...eventLog, dir: files.path(eventLog.dir) } : eventLog;
}

/** The gRPC server's files, as full paths; each must be there now. */
async function withPaths(
  grpc: StartSettings['grpc'],
  files: ConfigFiles,
  faults: Faults,
): Promise<StartSettings['grpc']> {
  if (grpc.tls === undefined) return grpc;
  const tls = { ...grpc.tls };
  for (const key of ['certFile', 'keyFile', 'clientCaFile'] as const) {
    const name = tls[key];
    if (name === undefined) continue;
    tls[key] = files.path(name);
    await files.check(name, faults, ['grpc', 'tls', key]);
  }
  return { ...grpc, tls };
}

function guardsOf(document: Mapping, connections: LoadedConfig['connections']): Guards {
  const callers = ['admin.token', 'grpc.tls', 'grpc.tls.clientCaFile', 'grpc.tls.allowedClientNames'];
  const written = callers.filter((key) => valueAt(document, key.split('.')) !== undefined);
  const guards = new Map(written.map((key) => [key, true]));
  for (const { name, namespaces } of connections.values()) {
    if (valueAt(document, ['connections', name, 'namespaces']) === undefined) continue;
    guards.set(`connections.${name}.namespaces`, !namespaces.includes('*'));
  }
  return guards;
}
