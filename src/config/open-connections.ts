import { z } from 'zod';
import type { AnySource } from '../sources/source.ts';
import { everyClient } from './chart-tls.ts';
import { isMapping, type Mapping, type Path, valueAt } from './document.ts';

/** What may be wrong with a connection, and where. */
interface Doubt {
  readonly path: Path;
  readonly text: string;
}

interface Entry {
  readonly name: string;
  readonly source: AnySource;
  readonly namespaces: unknown;
  readonly addresses: readonly string[];
  /** The files of its login. */
  readonly files: readonly string[];
}

/**
 * What keeps tenants apart and is missing, between connections of the same source and address: `namespaces`, or a login of
 * their own. Also where settings of them cannot be used, such as secrets that are not here.
 */
export function openConnections(connections: unknown, sources: readonly AnySource[]): readonly Doubt[] {
  const entries = Object.entries(isMapping(connections) ? connections : {}).flatMap(
    ([name, entry]): Entry[] => {
      const source = isMapping(entry) ? sources.find(({ kind }) => kind === entry['source']) : undefined;
      if (!isMapping(entry) || source === undefined) return [];
      const addresses = source.place(usable(source, entry)).addresses.map((one) => JSON.stringify(one));
      return [{ name, source, namespaces: entry['namespaces'], addresses, files: loginFiles(entry) }];
    },
  );
  return entries.flatMap((entry, at) => {
    const beside = (one: Entry): boolean =>
      one !== entry &&
      one.source === entry.source &&
      isClosed(one) &&
      one.addresses.some((address) => entry.addresses.includes(address));
    const other = entries.find(beside);
    const path = ['connections', entry.name];
    if (entry.namespaces === undefined && other !== undefined) {
      const text = `connections.${entry.name}: has no namespaces, so any namespace may use its login to where connection ${other.name} measures: write namespaces, or ["*"] if all may`;
      return [{ path, text }];
    }
    const earlier = isClosed(entry) ? entries.slice(0, at).filter(beside) : [];
    const same = earlier.find(
      (one) => apart(one, entry) && one.files.some((file) => entry.files.includes(file)),
    );
    if (same === undefined) return [];
    const text = `connections.${entry.name}: logs in with a file of connection ${same.name}, which is for other namespaces: give it one of its own`;
    return [{ path, text }];
  });
}

function isClosed({ namespaces }: Entry): boolean {
  return Array.isArray(namespaces) && !namespaces.includes('*');
}

/** Whether no namespace may use both. */
function apart({ namespaces: some }: Entry, { namespaces: others }: Entry): boolean {
  return Array.isArray(some) && Array.isArray(others) && !some.some((one) => others.includes(one));
}

/** Files of secrets, however deep: `passwordFile`, `keyFile`. Certificates of authorities are for all. */
function loginFiles(value: unknown): string[] {
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    typeof one === 'string' && /File$/.test(key) && key !== 'caFile' ? [one] : loginFiles(one),
  );
}

/** An authority whose every certificate may call the gRPC port. */
export function* openPort(configuration: Mapping): Generator<{ path: Path; text: string }> {
  const tls = valueAt(configuration, ['grpc', 'tls']);
  if (valueAt(tls, ['clientCaFile']) === undefined || valueAt(tls, ['allowedClientNames']) !== undefined)
    return;
  const path = ['grpc', 'tls', 'clientCaFile'];
  yield { path, text: `grpc.tls.clientCaFile: ${everyClient('grpc.tls.allowedClientNames')}` };
}

/** A connection's settings without a fault of their own. */
export function usable({ config }: AnySource, entry: Mapping): Mapping {
  if (!(config instanceof z.ZodObject)) return {};
  const read = Object.entries(config.shape).flatMap(([key, schema]): [string, unknown][] => {
    const value = z.safeParse(schema, entry[key]);
    return value.success && value.data !== undefined ? [[key, value.data]] : [];
  });
  return Object.fromEntries(read);
}
