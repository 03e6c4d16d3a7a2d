import type { InboundCloudEvent } from '../../sources/source.ts';
import type { Report } from './faults.ts';

const maxChars = 2048;

/** Whether an object is an event as EventBridge sends it; no other sender writes `detail-type`. */
export function isEventBridge(json: Readonly<Record<string, unknown>>): boolean {
  return json['detail-type'] !== undefined;
}

/**
 * An event of EventBridge as a CloudEvent: its `detail-type` is the type, its first resource the subject, and
 * the whole of it the data, so that a pointer reaches `/detail/execution-id` as well as `/resources/0`. Its
 * source need not be a URI reference: who puts events on a bus may call itself what it likes.
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
