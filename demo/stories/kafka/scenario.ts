/** The numbers of the story. */
export const scenario = {
  topic: 'orders',
  groupId: 'order-workers',
  partitions: 10,
  lagThreshold: 100,
  maxReplicaCount: 10,
  /** Needs 6 replicas, even if the first consumer has taken some records before the HPA looks. */
  burst: 580,
  /** The whole burst right behind the first record would compete with the wake for this process and a cold broker. */
  burstLots: 3,
  steadyPerSecond: 30,
  steadyMs: 6_000,
  /** How often a lot of records is appended. */
  appendEveryMs: 100,
  /** How many records one consumer handles. */
  recordsPerSecond: 20,
} as const;

/** The HPA's result: ceil(backlog / lagThreshold). */
export const replicasForBurst = Math.min(
  scenario.maxReplicaCount,
  Math.ceil(scenario.burst / scenario.lagThreshold),
);
