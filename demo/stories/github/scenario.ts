/** The numbers of the story. */
export const scenario = {
  owner: 'acme',
  repo: 'shop',
  /** The runners' own label, which the jobs require. */
  label: 'gpu',
  /** A matrix. Its jobs begin together, once each has a runner. */
  jobs: 12,
  maxReplicaCount: 20,
  /** How long a job takes from then on. */
  workMs: 800,
  /** It ends between two polls, so that it is clear who wakes the workload. */
  asleepMs: 1_500,
  /** The trigger's own limit. Repositories are read twice as often, so a lost webhook is soon made up for. */
  maxStalenessSeconds: 12,
} as const;
