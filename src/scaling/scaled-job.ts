/*
 * How KEDA turns a metric into Jobs (pkg/scaling/scaledjob/metrics.go and pkg/scaling/executor/scale_jobs.go,
 * v2.21). Jobs are created by polls alone: a pushed `true` does nothing for a ScaledJob.
 */

/** What a strategy takes off a queue that has this many Jobs on it already. */
export type ScaledJobStrategy =
  /** For metrics that include running work. */
  | { readonly kind: 'default' }
  /** For metrics that count only what nobody has picked up. */
  | { readonly kind: 'accurate' }
  | { readonly kind: 'eager' }
  | { readonly kind: 'custom'; readonly queueLengthDeduction: number; readonly runningJobPercentage: number };

export interface ScaledJobSpec {
  readonly strategy: ScaledJobStrategy;
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
}

/** What holds where the ScaledJob says nothing. */
export const scaledJobDefaults: ScaledJobSpec = {
  strategy: { kind: 'default' },
  minReplicaCount: 0,
  maxReplicaCount: 100,
};

/** One poll. Inactive triggers are left out of `value` and `target` by KEDA. */
export interface ScaledJobPoll {
  readonly isActive: boolean;
  readonly value: number;
  readonly target: number;
  /** Jobs that have not finished. */
  readonly running: number;
  /** Jobs that have not finished and have no running pod yet. */
  readonly pending: number;
}

/** How many Jobs the poll creates. */
export function jobsToCreate(spec: ScaledJobSpec, poll: ScaledJobPoll): number {
  if (!poll.isActive) return 0;
  const missing = spec.minReplicaCount - poll.running;
  if (missing > 0) return missing;
  const { most, wanted } = limits(spec, poll);
  return Math.max(0, Math.min(most, wanted));
}

function limits(spec: ScaledJobSpec, poll: ScaledJobPoll): { most: number; wanted: number } {
  const { strategy, maxReplicaCount: max } = spec;
  const { pending } = poll;
  const running = poll.running - spec.minReplicaCount;
  const queue = Math.ceil(Math.min(poll.value / poll.target, max));
  const wanted = Math.ceil(poll.value);
  switch (strategy.kind) {
    case 'default':
      return { most: queue - running, wanted };
    case 'accurate':
      return { most: queue + running > max ? max - running : queue - pending, wanted };
    case 'eager':
      return { most: Math.min(max - running - pending, queue), wanted: max };
    case 'custom': {
      const taken = strategy.queueLengthDeduction + Math.trunc(running * strategy.runningJobPercentage);
      return { most: Math.min(queue - taken, max), wanted };
    }
  }
}
