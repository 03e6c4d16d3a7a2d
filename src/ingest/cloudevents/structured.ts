import type { InboundCloudEvent } from '../../sources/source.ts';
import { cloudEventOf } from './attributes.ts';
import { type Content, dataOf } from './content.ts';
import type { Report } from './faults.ts';

/** An event as a JSON object (JSON event format 1.0 §3). */
export function structuredEvent(json: unknown, report: Report): InboundCloudEvent | undefined {
  if (!isObject(json)) {
    report('the event', 'is no JSON object');
    return undefined;
  }
  const { data: plain, data_base64: base64, ...rest } = json;
  const data = dataIn(plain, base64, json['datacontenttype']);
  if ('fault' in data) report('data_base64', data.fault);
  const event = cloudEventOf(attributesOf(rest), 'value' in data ? data.value : undefined, report);
  return 'value' in data ? event : undefined;
}

/** `null` is the same as not there (JSON event format 1.0 §2.2). */
export function attributesOf(json: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(json).filter(([, value]) => value !== null));
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function dataIn(plain: unknown, base64: unknown, contentType: unknown): Content {
  if (base64 === undefined || base64 === null) return { value: plain };
  if (plain !== undefined) return { fault: 'is there beside data' };
  if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return { fault: 'is not Base64' };
  return dataOf(Buffer.from(base64, 'base64'), typeof contentType === 'string' ? contentType : undefined);
}
