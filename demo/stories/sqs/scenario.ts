/** The numbers of the story. */
export const scenario = {
  queue: 'orders',
  region: 'eu-central-1',
  /** Orders a replica is good for, and what a worker takes at a time. */
  queueLength: 5,
  maxReplicaCount: 10,
  /** SendMessageBatch takes ten messages at most. */
  perBatch: 10,
  batches: 4,
  /** The first worker has done its first orders long after the HPA has seen all of them. */
  msPerOrder: 800,
  /** Nothing is there to be seen for so long. */
  asleepMs: 1_500,
} as const;

export const burst = scenario.perBatch * scenario.batches;

/** What the HPA comes to: ceil(messages / queueLength). */
export const replicasForBurst = Math.min(scenario.maxReplicaCount, Math.ceil(burst / scenario.queueLength));
