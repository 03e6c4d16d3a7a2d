/** The numbers of the story. */
export const scenario = {
  topic: 'orders',
  groupId: 'order-workers',
  partitions: 10,
  lagThreshold: 100,
  maxReplicaCount: 10,
  /** Asks for 6 replicas, and still does when the first consumer has taken some before the HPA looks. */
  burst: 580,
  /** All of it right behind the first record shares this process and a cold broker with the wake. */
  burstLots: 3,
  steadyPerSecond: 30,
  steadyMs: 6_000,
  /** Records are appended in lots, one in this time. */
  appendEveryMs: 100,
  /** What one consumer works off. */
  recordsPerSecond: 20,
} as const;

/** What the HPA comes to: ceil(backlog / lagThreshold). */
export const replicasForBurst = Math.min(
  scenario.maxReplicaCount,
  Math.ceil(scenario.burst / scenario.lagThreshold),
);
