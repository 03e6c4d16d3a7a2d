import { type Content, type JsonReader, textOf } from '../../json.ts';
import type { InboundCloudEvent } from '../../sources/inbound.ts';
import { isJson, isText, mediaTypeOf } from '../media-type.ts';
import { cloudEventOf, type Report } from './attributes.ts';

/** An event as a JSON object (JSON event format 1.0 §3). */
export function structuredEvent(
  json: unknown,
  reader: JsonReader,
  report: Report,
): InboundCloudEvent | undefined {
  if (!isObject(json)) {
    report('the event', 'is no JSON object');
    return undefined;
  }
  const { data: plain, data_base64: base64, ...rest } = json;
  const data = dataIn({ plain, base64, contentType: json['datacontenttype'] }, reader);
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

interface Data {
  readonly plain: unknown;
  readonly base64: unknown;
  readonly contentType: unknown;
}

function dataIn({ plain, base64, contentType }: Data, reader: JsonReader): Content {
  if (base64 === undefined || base64 === null) return { value: plain };
  if (plain !== undefined) return { fault: 'is there beside data' };
  if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return { fault: 'is not Base64' };
  const type = typeof contentType === 'string' ? contentType : undefined;
  return dataOf(Buffer.from(base64, 'base64'), type, reader);
}

/** The data that came as bytes of this content type: JSON, text, or undefined where it is neither, or nothing. */
export function dataOf(bytes: Uint8Array, contentType: string | undefined, reader: JsonReader): Content {
  const mediaType = mediaTypeOf(contentType);
  if (bytes.length === 0) return { value: undefined };
  if (isJson(mediaType)) return reader.read(bytes);
  return { value: isText(mediaType) ? textOf(bytes) : undefined };
}
