import type { InboundCloudEvent } from '../../sources/source.ts';
import { cloudEventOf } from './attributes.ts';
import type { Report } from './faults.ts';
import { attributesOf, isObject } from './structured.ts';

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
