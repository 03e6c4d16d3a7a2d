import { dirname, resolve } from 'node:path';
import { didYouMean } from '../params/suggest.ts';
import type { AnySource, ConfiguredConnection } from '../sources/source.ts';
import { configureConnection } from './connections.ts';
import { checkSink } from './decisions.ts';
import type { Environment } from './environment.ts';
import { expandEnvironment } from './environment.ts';
import { Faults } from './faults.ts';
import { ConfigFiles } from './files.ts';
import type { Settings } from './schema.ts';
import { configSchema } from './schema.ts';
import { readSecrets } from './secrets.ts';
import { isMapping } from './tree.ts';
import { validate } from './validate.ts';
import { parseYaml } from './yaml.ts';

export interface LoadedConfig {
  readonly settings: Settings;
  readonly connections: ReadonlyMap<string, ConfiguredConnection>;
}

/** What every file that was looked at looked like, by path. A change of one of them calls for another load. */
export type Stamps = ReadonlyMap<string, string>;

export type LoadResult =
  | { readonly kind: 'loaded'; readonly config: LoadedConfig; readonly stamps: Stamps }
  | { readonly kind: 'refused'; readonly faults: readonly string[]; readonly stamps: Stamps };

export interface LoadContext {
  readonly environment: Environment;
  readonly sources: readonly AnySource[];
}

/** Reads the configuration and every secret it names. Never throws for what a user wrote: all faults come at once. */
export async function loadConfig(file: string, { environment, sources }: LoadContext): Promise<LoadResult> {
  const path = resolve(file);
  const files = new ConfigFiles(dirname(path));
  const read = await files.read(path);
  const refuse = (faults: readonly string[]): LoadResult => ({
    kind: 'refused',
    faults,
    stamps: files.stamps,
  });
  if ('problem' in read) return refuse([`${path} ${read.problem}`]);
  const parsed = parseYaml(read.text);
  if ('faults' in parsed) return refuse(parsed.faults.map((fault) => `${path} ${fault}`));
  if (!isMapping(parsed.value))
    return refuse([`${path} must be a mapping of keys to values, see docs/configuration.md`]);

  const faults = new Faults();
  const { value, paths } = expandEnvironment(parsed.value, environment, faults);
  const document = await withSecrets(value, files, faults);
  const config = await readDocument(document, { sources, expanded: paths, files }, faults);
  if (config === undefined || faults.list.length > 0) return refuse(faults.list);
  return { kind: 'loaded', config, stamps: files.stamps };
}

/** Only connections, the HTTP servers and the sink have secrets; the gRPC server reads its own files, again and again. */
async function withSecrets(document: unknown, files: ConfigFiles, faults: Faults): Promise<unknown> {
  if (!isMapping(document)) return document;
  const changed = { ...document };
  for (const key of ['admin', 'ingest', 'decisions', 'connections']) {
    if (Object.hasOwn(changed, key)) changed[key] = await readSecrets(changed[key], files, faults, [key]);
  }
  return changed;
}

interface Reading {
  sources: readonly AnySource[];
  expanded: ReadonlySet<string>;
  files: ConfigFiles;
}

async function readDocument(
  document: unknown,
  { sources, expanded, files }: Reading,
  faults: Faults,
): Promise<LoadedConfig | undefined> {
  const root = validate(configSchema, document, { at: [], expanded }, faults);
  const entries = isMapping(document) && isMapping(document['connections']) ? document['connections'] : {};
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
  const { connections: _, ...settings } = root.value;
  checkTokens(settings.ingest, Object.keys(entries), faults);
  checkSink(settings.decisions, settings.security, faults);
  const grpc = await withPaths(settings.grpc, files, faults);
  const eventLog = withDir(settings.eventLog, files);
  return { settings: { ...settings, grpc, eventLog }, connections };
}

/** The event log's directory, as a full path; it is made where it is not there. */
function withDir(eventLog: Settings['eventLog'], files: ConfigFiles): Settings['eventLog'] {
  return eventLog.type === 'file' ? { ...eventLog, dir: files.path(eventLog.dir) } : eventLog;
}

/** A token is for connections that there are. */
function checkTokens({ tokens }: Settings['ingest'], names: readonly string[], faults: Faults): void {
  for (const [i, { connections }] of tokens.entries()) {
    for (const [j, name] of connections.entries()) {
      if (names.includes(name)) continue;
      const message = `there is no connection of this name${didYouMean(name, names)}`;
      faults.add(['ingest', 'tokens', i, 'connections', j], message);
    }
  }
}

/** The gRPC server's files, as full paths; each must be there now. */
async function withPaths(
  grpc: Settings['grpc'],
  files: ConfigFiles,
  faults: Faults,
): Promise<Settings['grpc']> {
  if (grpc.tls === undefined) return grpc;
  const tls = { ...grpc.tls };
  for (const key of ['certFile', 'keyFile', 'clientCaFile'] as const) {
    const name = tls[key];
    if (name === undefined) continue;
    tls[key] = files.path(name);
    const problem = await files.check(name);
    if (problem !== undefined) faults.add(['grpc', 'tls', key], `the file ${tls[key]} ${problem}`);
  }
  return { ...grpc, tls };
}
