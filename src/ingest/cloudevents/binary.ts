import type { IncomingHttpHeaders } from 'node:http';
import type { InboundCloudEvent } from '../../sources/source.ts';
import { cloudEventOf } from './attributes.ts';
import { dataOf } from './content.ts';
import type { Faults } from './faults.ts';
import { decodeHeaderValue } from './header-value.ts';

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
  const data = dataOf(body, contentType);
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
