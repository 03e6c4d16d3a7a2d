import type { TriggerStatus } from '../../src/triggers/trigger-status.ts';

/** A trigger's status, with only what matters to a test given. */
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

/** Where just these are read. */
export function listOf(statuses: readonly TriggerStatus[]) {
  return {
    statuses: () => statuses,
    summaries: () => statuses,
    past: () => undefined,
  };
}

/** So many, in no order. */
export function manyStatuses(count: number): TriggerStatus[] {
  return Array.from({ length: count }, (_, i) => {
    // 7919 is prime, so that every number comes once, out of order.
    const n = (i * 7919) % count;
    return statusWith({
      id: `id-${n}`,
      namespace: `ns-${n % 10}`,
      name: `so-${n}`,
      metricName: `kafka-g-${n}`,
    });
  });
}
