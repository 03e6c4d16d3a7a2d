import { ScalerError } from '../errors.ts';
import { givenValues } from '../params/parse.ts';
import { printable } from '../printable.ts';
import type { AnySource } from '../sources/source.ts';
import { commonParams } from './common-params.ts';

/** KEDA's ScaledObjectRef (also sent for a ScaledJob), made safe: every field is there. */
export interface Reference {
  readonly namespace: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What Kubernetes allows: a name is a DNS subdomain, a namespace a DNS label (RFC 1123). */
const maxNamespaceLength = 63;
const maxNameLength = 253;
/** What the gRPC port takes in one message. */
export const maxMetadataBytes = 64 * 1024;
/** Several times what any source knows: each key is sorted, hashed and looked up before it is known to be none of ours. */
export const maxMetadataKeys = 500;

/**
 * Throws ScalerError `invalid` for a reference that is larger than Kubernetes or our bounds allow. Before this check,
 * nothing of it may be kept or logged. The message shows only what fits.
 */
export function checkReference({ namespace, name, metadata }: Reference): void {
  const faults: string[] = [];
  if (namespace.length > maxNamespaceLength) {
    faults.push(`namespace: has ${namespace.length} characters, Kubernetes allows ${maxNamespaceLength}`);
  }
  if (name.length > maxNameLength) {
    faults.push(`name: has ${name.length} characters, Kubernetes allows ${maxNameLength}`);
  }
  const keys = Object.keys(metadata).length;
  if (keys > maxMetadataKeys) faults.push(`metadata: has ${keys} keys; the limit is ${maxMetadataKeys}`);
  const bytes = textBytes(metadata);
  if (bytes > maxMetadataBytes) faults.push(`metadata: has ${bytes} bytes; the limit is ${maxMetadataBytes}`);
  if (faults.length === 0) return;
  const owner = ownerOf({
    namespace: namespace.slice(0, maxNamespaceLength),
    name: name.slice(0, maxNameLength),
    metadata: {},
  });
  throw new ScalerError('invalid', `trigger of ${owner}: ${faults.join('; ')}`);
}

const ignoredValue = '*';

/**
 * What is kept of a reference to resolve it again, with the same outcome under any configuration: the values of keys
 * that have no effect become `*`. Without its source, all but the keys that every trigger may have are such.
 */
export function kept({ namespace, name, metadata }: Reference, source: AnySource | undefined): Reference {
  const given = givenValues(metadata);
  const entries = Object.entries(metadata).map(([key, value]): [string, string] => {
    if (value.trim() === '') return [key, ''];
    const field = key.endsWith(fromEnv) ? key.slice(0, -fromEnv.length) : key;
    const known = [key, field].find((name) => given.get(name)?.key === key && hasEffect(name, source));
    return [key, (known !== undefined && given.get(known)?.value) || ignoredValue];
  });
  return { namespace, name, metadata: Object.fromEntries(entries) };
}

const fromEnv = 'FromEnv';

function hasEffect(key: string, source: AnySource | undefined): boolean {
  if (Object.hasOwn(commonParams.table, key)) return true;
  if (source === undefined) return false;
  if (Object.hasOwn(source.params.table, key)) return true;
  return Object.hasOwn(source.connectionKeys, key) && source.connectionKeys[key]?.agrees !== undefined;
}

/** What an entry of a map costs beside its text, so that thousands of tiny keys count for what they take. */
const entryBytes = 64;

/** Bytes that a kept reference counts for: its text, once as it was given and once as what was read of it. */
export function bytesOf({ namespace, name, metadata }: Reference): number {
  const text = Buffer.byteLength(namespace) + Buffer.byteLength(name) + textBytes(metadata);
  return 2 * text + entryBytes * Object.keys(metadata).length;
}

function textBytes(metadata: Reference['metadata']): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(metadata))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  return bytes;
}

/** `shop/orders`: how messages name the ScaledObject or ScaledJob of a reference. */
export function ownerOf({ namespace, name }: Reference): string {
  return `${printable(namespace) || '(no namespace)'}/${printable(name) || '(no name)'}`;
}
