/** The numbers of the story. */
export const scenario = {
  /** Orders for each replica. */
  queueLength: 5,
  maxReplicaCount: 100,
  /** SendMessageBatch takes at most ten messages. */
  perBatch: 10,
  batches: 10,
  /** Between a look of both HPAs and the burst. So the clock alone takes as long as it does in the median. */
  asleepMs: 5_000,
  /** How long to watch both once they have their size. */
  afterMs: 2_000,
} as const;

export const burst = scenario.perBatch * scenario.batches;

/** The HPA's result: ceil(messages / queueLength). */
export const replicasForBurst = Math.ceil(burst / scenario.queueLength);
