import type {
  ConsumerFacts,
  NatsSnapshot,
  StreamFacts,
} from '../../../../src/sources/nats/rules/snapshot.ts';

/** A snapshot of one server without messages, except for the given fields. */
export function snapshotOf(
  consumer: Partial<ConsumerFacts> = {},
  stream: Partial<StreamFacts> = {},
): NatsSnapshot {
  return {
    stream: {
      name: 'orders',
      created: '2026-11-01T00:00:00Z',
      subjects: ['orders.>'],
      silent: undefined,
      leader: undefined,
      isLeaderless: false,
      replicas: [],
      ...stream,
    },
    consumer: {
      name: 'worker',
      created: '2026-11-01T00:00:00Z',
      filters: [],
      pending: 0,
      ackPending: 0,
      redelivered: 0,
      deliveries: 0,
      maxAckPending: undefined,
      paused: false,
      leader: undefined,
      ...consumer,
    },
  };
}
