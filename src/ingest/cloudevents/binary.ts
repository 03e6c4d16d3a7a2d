import type { IncomingHttpHeaders } from 'node:http';
import { JsonReader } from '../../json.ts';
import type { InboundCloudEvent } from '../../sources/inbound.ts';
import { cloudEventOf, type Faults } from './attributes.ts';
import { dataOf } from './structured.ts';

const prefix = 'ce-';

/** The event whose attributes are headers and whose data is the body (CloudEvents HTTP binding 1.0 §3.1). */
export function binaryEvent(
  headers: IncomingHttpHeaders,
  body: Uint8Array,
  faults: Faults,
): InboundCloudEvent | undefined {
  const contentType = headers['content-type'];
  const attributes = new Map<string, unknown>();
  let sound = true;
  for (const [header, given] of Object.entries(headers)) {
    if (!header.startsWith(prefix)) continue;
    const value = typeof given === 'string' ? decodeHeaderValue(given) : undefined;
    if (value === undefined) {
      sound = false;
      faults.add(header.slice(0, 64), 'is not percent-encoded UTF-8');
    }
    // Kept also where it is faulty, so that it is not called missing.
    attributes.set(header.slice(prefix.length), value ?? '-');
  }
  attributes.delete('datacontenttype');
  if (contentType !== undefined) attributes.set('datacontenttype', contentType);
  const data = dataOf(body, contentType, new JsonReader());
  if ('fault' in data) faults.add('the body', data.fault);
  const event = cloudEventOf(attributes, 'value' in data ? data.value : undefined, (attribute, problem) =>
    faults.add(placeOf(attribute), problem),
  );
  return sound && 'value' in data ? event : undefined;
}

function placeOf(attribute: string): string {
  if (attribute === 'datacontenttype') return 'content-type';
  return attribute.includes(' ') || attribute === 'extensions' ? attribute : `${prefix}${attribute}`;
}

const quoted = /^"((?:[^"\\]|\\.)*)"$/;
const encoded = /(?:%[0-9a-f]{2})+/gi;
const printableAscii = /^[\x20-\x7e]*$/;

/**
 * The value of a `ce-` header as its sender meant it: quotes of older senders are taken off, then one round of
 * percent-decoding (CloudEvents HTTP binding 1.0.2 §3.1.3.2). undefined where it breaks that rule: bytes that
 * are neither ASCII nor encoded, or encoded bytes that are not UTF-8.
 */
export function decodeHeaderValue(value: string): string | undefined {
  if (!printableAscii.test(value)) return undefined;
  const plain = quoted.exec(value)?.[1]?.replace(/\\(.)/g, '$1') ?? value;
  if (!plain.includes('%')) return plain;
  try {
    return plain.replace(encoded, decodeURIComponent);
  } catch {
    return undefined;
  }
}
