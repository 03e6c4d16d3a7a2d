import type { IncomingHttpHeaders } from 'node:http';
import { modeOf, type Parsed, parseCloudEvents } from '../../src/ingest/cloudevents/parse.ts';
import type { InboundCloudEvent } from '../../src/sources/inbound.ts';

/** A request with events. */
export interface EventRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: string | Buffer;
}

/** Reads a request as the port does, with header names in lower case as from Node. */
export function parsed({ headers, body }: EventRequest): Parsed {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  const low = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value]));
  const mode = modeOf(low);
  if (mode === undefined) throw new Error('this is 415');
  const steps = parseCloudEvents(mode, low, Buffer.from(body));
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The only event of a request. Throws for another number of events, and for faults. */
export function eventIn(request: EventRequest): InboundCloudEvent {
  const result = parsed(request);
  if (result.kind !== 'events') throw new Error(JSON.stringify(result));
  const [event, ...others] = result.events;
  if (event === undefined || others.length > 0) throw new Error(`${result.events.length} events`);
  return event;
}

/** What is wrong with a request. Undefined if nothing is. */
export function faultOf(request: EventRequest): string | undefined {
  const result = parsed(request);
  return result.kind === 'faulty' ? result.why : undefined;
}

/** The specification's own event (CloudEvents 1.0, HTTP binding §3.1.4 and JSON event format §3.2). */
export const example = {
  specversion: '1.0',
  type: 'com.example.someevent',
  source: '/mycontext/subcontext',
  id: '1234-1234-1234',
  time: '2018-04-05T03:56:24Z',
};

/** The same in binary mode, with other headers merged over it. */
export function binary(more: IncomingHttpHeaders = {}, body: string | Buffer = '{"a":1}'): EventRequest {
  const headers = {
    ...Object.fromEntries(Object.entries(example).map(([name, value]) => [`ce-${name}`, value])),
    'content-type': 'application/json; charset=utf-8',
    ...more,
  };
  return { headers, body };
}

/** The same in structured mode, with other members merged over it. */
export function structured(
  more: Readonly<Record<string, unknown>> = {},
  contentType = 'application/cloudevents+json; charset=UTF-8',
): EventRequest {
  return { headers: { 'content-type': contentType }, body: JSON.stringify({ ...example, ...more }) };
}

export function batch(events: readonly unknown[]): EventRequest {
  const headers = { 'content-type': 'application/cloudevents-batch+json; charset=UTF-8' };
  return { headers, body: JSON.stringify(events) };
}

/** Percent-encodes a header's value (CloudEvents HTTP binding 1.0.2 §3.1.3.2). */
export function headerValue(text: string): string {
  return [...text].map((char) => (/^[!#$&-~]$/.test(char) ? char : percent(char))).join('');
}

function percent(char: string): string {
  return [...Buffer.from(char)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
