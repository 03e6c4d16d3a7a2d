import type { Decision } from '../../src/monitor/decision.ts';
import type { Trigger } from '../../src/trigger/trigger.ts';
import { connectionOf, referenceOf } from './board.ts';
import { hintSource } from './hint-source.ts';

const trigger: Trigger = {
  id: '9f2c5a0b7d31',
  reference: referenceOf({ source: 'kafka', topic: 'a secret value' }, 'orders-worker'),
  source: { ...hintSource, kind: 'kafka' },
  connection: connectionOf('orders', hintSource, { password: 'a secret value' }),
  params: {},
  paramsKey: '',
  target: { perReplica: 10, activation: 0, nameParts: [] },
  metricName: 'kafka-workers-orders',
  maxStalenessMs: 60_000,
};

/** A decision, with only what matters to a test given. */
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
