import type { TriggerStatus } from '../../src/triggers/trigger-status.ts';

/** The status of a trigger. A test gives only the fields that matter to it. */
export function statusWith(given: Partial<TriggerStatus> = {}): TriggerStatus {
  return {
    id: 'id-1',
    namespace: 'shop',
    name: 'orders-worker',
    source: 'kafka',
    connection: 'orders',
    metricName: 'kafka-workers-orders',
    target: 10,
    value: 42,
    active: true,
    ageMs: 1234,
    up: true,
    ...given,
  };
}

/** A list with only these. */
export function listOf(statuses: readonly TriggerStatus[]) {
  return {
    statuses: () => statuses,
    summaries: () => statuses,
    past: () => undefined,
  };
}

/** This many, in no order. */
export function manyStatuses(count: number): TriggerStatus[] {
  return Array.from({ length: count }, (_, i) => {
    // 7919 is prime, so every number comes once, out of order.
    const n = (i * 7919) % count;
    return statusWith({
      id: `id-${n}`,
      namespace: `ns-${n % 10}`,
      name: `so-${n}`,
      metricName: `kafka-g-${n}`,
    });
  });
}
