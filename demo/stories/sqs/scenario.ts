/** The numbers of the story. */
export const scenario = {
  queue: 'orders',
  region: 'eu-central-1',
  /** Orders for each replica, and orders that a worker takes at a time. */
  queueLength: 5,
  maxReplicaCount: 10,
  /** SendMessageBatch takes at most ten messages. */
  perBatch: 10,
  batches: 4,
  /** Slow enough that the HPA sees all orders long before the first worker has done its first ones. */
  msPerOrder: 800,
  /** How long nothing happens. */
  asleepMs: 1_500,
} as const;

export const burst = scenario.perBatch * scenario.batches;

/** The HPA's result: ceil(messages / queueLength). */
export const replicasForBurst = Math.min(scenario.maxReplicaCount, Math.ceil(burst / scenario.queueLength));
