import type { Decision } from '../../src/triggers/decision.ts';
import { hintSource } from './hint-source.ts';
import { connectionOf, referenceOf } from './live-triggers.ts';

const trigger: Decision['trigger'] = {
  id: '9f2c5a0b7d31',
  reference: referenceOf({ source: 'kafka', topic: 'a secret value' }, 'orders-worker'),
  source: { ...hintSource, kind: 'kafka' },
  connection: connectionOf('orders', hintSource, { password: 'a secret value' }),
  target: { perReplica: 10, activation: 0, nameParts: [] },
  metricName: 'kafka-workers-orders',
};

/** A decision. A test gives only the fields that matter to it. */
export function decisionWith(given: Partial<Decision> = {}, name = 'orders-worker'): Decision {
  return {
    kind: 'activated',
    trigger: { ...trigger, reference: { ...trigger.reference, name } },
    value: 42,
    cause: 'watch',
    ageMs: 3.7,
    lastedMs: 86_400_000.2,
    error: undefined,
    atMs: Date.UTC(2026, 0, 15, 9, 30, 0, 250),
    ...given,
  };
}
