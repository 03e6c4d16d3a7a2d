/** The numbers of the story. */
export const scenario = {
  /** Orders a replica is good for. */
  queueLength: 5,
  maxReplicaCount: 100,
  /** SendMessageBatch takes ten messages at most. */
  perBatch: 10,
  batches: 10,
  /** Between a look of both HPAs and the burst: then the clock alone takes as long as it does in the median. */
  asleepMs: 5_000,
  /** How long both are looked at after they are at their size. */
  afterMs: 2_000,
} as const;

export const burst = scenario.perBatch * scenario.batches;

/** What the HPA comes to: ceil(messages / queueLength). */
export const replicasForBurst = Math.ceil(burst / scenario.queueLength);
