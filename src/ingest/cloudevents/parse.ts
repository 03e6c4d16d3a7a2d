import type { IncomingHttpHeaders } from 'node:http';
import type { InboundCloudEvent } from '../../sources/source.ts';
import { argoEvent, isArgo } from './argo.ts';
import { binaryEvent } from './binary.ts';
import { jsonOf } from './content.ts';
import { eventBridgeEvent, isEventBridge } from './eventbridge.ts';
import { Faults, type Report } from './faults.ts';
import type { Mode } from './mode.ts';
import { isObject, structuredEvent } from './structured.ts';

/** As many as a batch may hold; the HTTP binding leaves that to the receiver (§3.3). */
export const maxBatch = 1000;

/** The events of a request, all or none of them: a sender can send a whole request again, not a part of it. */
export type Parsed =
  | { readonly kind: 'events'; readonly events: readonly InboundCloudEvent[] }
  | { readonly kind: 'faulty'; readonly why: string }
  | { readonly kind: 'too_many'; readonly count: number };

/** Reads the events of a request. Pure; no fault holds anything of the body. */
export function parseCloudEvents(mode: Mode, headers: IncomingHttpHeaders, body: Uint8Array): Parsed {
  const faults = new Faults();
  if (mode === 'binary') return whole([binaryEvent(headers, body, faults)], faults);
  const json = jsonOf(body);
  if ('fault' in json) return { kind: 'faulty', why: `the body ${json.fault}` };
  if (mode === 'batch') return batch(json.value, faults);
  const report: Report = (attribute, problem) => faults.add(attribute, problem);
  const read = mode === 'structured' ? structuredEvent : plainEvent;
  return whole([read(json.value, report)], faults);
}

function batch(json: unknown, faults: Faults): Parsed {
  if (!Array.isArray(json)) return { kind: 'faulty', why: 'the body is no JSON array' };
  if (json.length > maxBatch) return { kind: 'too_many', count: json.length };
  const events = json.map((event: unknown, index) =>
    structuredEvent(event, (attribute, problem) => faults.add(`[${index}] ${attribute}`, problem)),
  );
  return whole(events, faults);
}

/** JSON that does not call itself a CloudEvent. Many a sender forgets the content type of one that is. */
function plainEvent(json: unknown, report: Report): InboundCloudEvent | undefined {
  if (isObject(json)) {
    if ('specversion' in json) return structuredEvent(json, report);
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
