import { defaultTimings, speededUp } from './timings.ts';

/** How many times faster than its defaults KEDA runs here, so that a day's work fits into a minute. */
export const speed = 30;

/** The numbers of the demo. */
export const scenario = {
  topic: 'orders',
  groupId: 'order-workers',
  partitions: 10,
  lagThreshold: 100,
  maxReplicaCount: 10,
  /** Asks for 6 replicas, and still does when the first consumer has taken some before the HPA looks. */
  burst: 580,
  steadyPerSecond: 30,
  steadyMs: 6_000,
  /** What one consumer works off. */
  recordsPerSecond: 20,
  timings: speededUp(defaultTimings, speed),
} as const;

/** What the HPA comes to: ceil(backlog / lagThreshold). */
export const replicasForBurst = Math.min(
  scenario.maxReplicaCount,
  Math.ceil(scenario.burst / scenario.lagThreshold),
);
