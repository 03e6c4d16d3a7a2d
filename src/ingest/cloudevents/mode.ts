import type { IncomingHttpHeaders } from 'node:http';
import { isJson, mediaTypeOf } from '../media-type.ts';

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

/** Any of these makes a request an event in binary mode, so that one that lacks another is told which. */
const marks = ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'];

/**
 * The mode (CloudEvents HTTP binding 1.0 §3); undefined: no way of saying events that is known here. Parameters
 * and case of the content type do not matter: the SDK's `HTTP.toEvent` refuses the binding's own example for
 * its `; charset=UTF-8`, so no header of a sender reaches it.
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
