import { z } from 'zod';
import type { AnySource } from '../sources/source.ts';
import { everyClient } from './chart-tls.ts';
import { isMapping, type Mapping, type Path, valueAt } from './document.ts';

/**
 * Connections without `namespaces`, where another of the same source and address has some: any namespace may use the
 * login of the first. Also where settings of them cannot be used, such as secrets that are not here.
 */
export function openConnections(
  connections: unknown,
  sources: readonly AnySource[],
): readonly { path: Path; text: string }[] {
  const entries = Object.entries(isMapping(connections) ? connections : {}).flatMap(([name, entry]) => {
    const source = isMapping(entry) ? sources.find(({ kind }) => kind === entry['source']) : undefined;
    if (!isMapping(entry) || source === undefined) return [];
    const addresses = source.place(usable(source, entry)).addresses.map((one) => JSON.stringify(one));
    return [{ name, source, namespaces: entry['namespaces'], addresses }];
  });
  return entries.flatMap(({ name, source, namespaces, addresses }) => {
    if (namespaces !== undefined) return [];
    const other = entries.find(
      (one) =>
        one.source === source &&
        Array.isArray(one.namespaces) &&
        !one.namespaces.includes('*') &&
        one.addresses.some((address) => addresses.includes(address)),
    );
    if (other === undefined) return [];
    const text = `connections.${name}: has no namespaces, so any namespace may use its login to where connection ${other.name} measures: write namespaces, or ["*"] if all may`;
    return [{ path: ['connections', name], text }];
  });
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
