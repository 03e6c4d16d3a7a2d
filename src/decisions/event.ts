import type { CloudEventV1 } from 'cloudevents';
import type { Decision } from '../triggers/decision.ts';
import { type DecisionData, dataOf } from './data.ts';

/**
 * A decision as a CloudEvent 1.0. Made by hand, and held against the SDK in tests: the SDK would check each
 * against a schema that the types here keep already.
 */
export function eventOf(
  decision: Decision,
  { id, source }: { id: string; source: string },
): CloudEventV1<DecisionData> {
  const { namespace, name } = decision.trigger.reference;
  return {
    specversion: '1.0',
    id,
    source,
    type: `dev.backlog-scaler.trigger.${decision.kind}`,
    subject: `${namespace}/${name}`,
    time: new Date(decision.atMs).toISOString(),
    datacontenttype: 'application/json',
    data: dataOf(decision),
  };
}
