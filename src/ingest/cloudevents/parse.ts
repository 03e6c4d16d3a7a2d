import type { IncomingHttpHeaders } from 'node:http';
import { JsonReader } from '../../json.ts';
import type { InboundCloudEvent } from '../../sources/inbound.ts';
import { isJson, mediaTypeOf } from '../media-type.ts';
import { cloudEventOf, Faults, type Report } from './attributes.ts';
import { binaryEvent } from './binary.ts';
import { attributesOf, isObject, structuredEvent } from './structured.ts';

/** As many as a batch may hold; the HTTP binding leaves that to the receiver (§3.3). */
export const maxBatch = 1000;

/** The events of a request, all or none of them: a sender can send a whole request again, not a part of it. */
export type Parsed =
  | { readonly kind: 'events'; readonly events: readonly InboundCloudEvent[] }
  | { readonly kind: 'faulty'; readonly why: string }
  | { readonly kind: 'too_many'; readonly count: number };

/** So many events of a batch are read in a step: about a millisecond of work. */
const stepEvents = 50;

/** Reads the events of a request, in steps. Pure; no fault holds anything of the body. */
export function* parseCloudEvents(
  mode: Mode,
  headers: IncomingHttpHeaders,
  body: Uint8Array,
): Generator<undefined, Parsed> {
  const faults = new Faults();
  if (mode === 'binary') return whole([binaryEvent(headers, body, faults)], faults);
  const reader = new JsonReader();
  const json = reader.read(body);
  if ('fault' in json) return { kind: 'faulty', why: `the body ${json.fault}` };
  if (mode === 'batch') return yield* batch(json.value, reader, faults);
  const report: Report = (attribute, problem) => faults.add(attribute, problem);
  const read = mode === 'structured' ? structuredEvent : plainEvent;
  return whole([read(json.value, reader, report)], faults);
}

function* batch(json: unknown, reader: JsonReader, faults: Faults): Generator<undefined, Parsed> {
  if (!Array.isArray(json)) return { kind: 'faulty', why: 'the body is no JSON array' };
  if (json.length > maxBatch) return { kind: 'too_many', count: json.length };
  const events: (InboundCloudEvent | undefined)[] = [];
  for (const [index, event] of json.entries()) {
    if (index > 0 && index % stepEvents === 0) yield;
    const report: Report = (attribute, problem) => faults.add(`[${index}] ${attribute}`, problem);
    events.push(structuredEvent(event, reader, report));
  }
  return whole(events, faults);
}

/** JSON that does not call itself a CloudEvent. Many a sender forgets the content type of one that is. */
function plainEvent(json: unknown, reader: JsonReader, report: Report): InboundCloudEvent | undefined {
  if (isObject(json)) {
    if ('specversion' in json) return structuredEvent(json, reader, report);
    if (isEventBridge(json)) return eventBridgeEvent(json, report);
    if (isArgo(json)) return argoEvent(json, report);
  }
  report('the body', 'is no CloudEvent, nor an event of EventBridge or Argo Events: send it to /ingest/hint');
  return undefined;
}

function whole(events: readonly (InboundCloudEvent | undefined)[], faults: Faults): Parsed {
  if (faults.any) return { kind: 'faulty', why: faults.summary };
  return { kind: 'events', events: events.filter((event) => event !== undefined) };
}

/** How a request says its events. */
export type Mode =
  /** `application/cloudevents-batch+json` */
  | 'batch'
  /** `application/cloudevents+json` */
  | 'structured'
  /** Attributes in `ce-` headers, data in the body. */
  | 'binary'
  /** Other JSON: an event of EventBridge or Argo Events, or a CloudEvent under a plain content type. */
  | 'json';

/** Any of these makes a request an event in binary mode. Then the answer names the missing ones. */
const marks = ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'];

/**
 * The mode (CloudEvents HTTP binding 1.0 §3). Undefined for an unknown format. Parameters and case of the content type do
 * not matter. The SDK's `HTTP.toEvent` refuses the binding's own example for its `; charset=UTF-8`, so it gets no header
 * of a sender.
 */
export function modeOf(headers: IncomingHttpHeaders): Mode | undefined {
  const mediaType = mediaTypeOf(headers['content-type']);
  if (mediaType === 'application/cloudevents-batch+json') return 'batch';
  if (mediaType === 'application/cloudevents+json') return 'structured';
  // In a format that is not known here.
  if (mediaType.startsWith('application/cloudevents')) return undefined;
  if (marks.some((name) => headers[name] !== undefined)) return 'binary';
  return isJson(mediaType) ? 'json' : undefined;
}

const maxChars = 2048;

/** Whether an object is an event as EventBridge sends it; no other sender writes `detail-type`. */
export function isEventBridge(json: Readonly<Record<string, unknown>>): boolean {
  return json['detail-type'] !== undefined;
}

/**
 * An event of EventBridge as a CloudEvent. Its `detail-type` is the type, its first resource the subject, and the whole
 * event the data. So a pointer reaches `/detail/execution-id` as well as `/resources/0`. Its source need not be a URI
 * reference: senders on a bus choose their names.
 */
export function eventBridgeEvent(
  json: Readonly<Record<string, unknown>>,
  report: Report,
): InboundCloudEvent | undefined {
  const { id, source, 'detail-type': type, time, account, region, resources } = json;
  for (const [name, value] of Object.entries({ id, source, 'detail-type': type })) {
    if (!isName(value)) report(name, value === undefined ? 'is missing' : notAName);
  }
  if (!isName(id) || !isName(source) || !isName(type)) return undefined;
  const subject: unknown = Array.isArray(resources) ? resources[0] : undefined;
  const timeMs = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return {
    id,
    source,
    type,
    subject: isName(subject) ? subject : undefined,
    timeMs: Number.isNaN(timeMs) ? undefined : timeMs,
    data: json,
    extensions: { ...(isName(account) ? { account } : {}), ...(isName(region) ? { region } : {}) },
  };
}

const notAName = `must be a string of 1 to ${maxChars} characters, none of them a control character`;

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' && value !== '' && value.length <= maxChars && !/[\p{Cc}\p{Cs}]/u.test(value)
  );
}

/** Whether an object is an event as Argo Events hands it around: a CloudEvent whose attributes are its `context`. */
export function isArgo(json: Readonly<Record<string, unknown>>): boolean {
  return isObject(json['context']);
}

export function argoEvent(
  { context, data }: Readonly<Record<string, unknown>>,
  report: Report,
): InboundCloudEvent | undefined {
  if (!isObject(context)) return undefined;
  return cloudEventOf(attributesOf(context), data, (attribute, problem) =>
    report(attribute.includes(' ') ? attribute : `context.${attribute}`, problem),
  );
}
