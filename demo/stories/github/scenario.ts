/** The numbers of the story. */
export const scenario = {
  owner: 'acme',
  repo: 'shop',
  /** What the runners have besides GitHub's own, and what the jobs ask for. */
  label: 'gpu',
  /** A matrix: its jobs begin together, when each has a runner. */
  jobs: 12,
  maxReplicaCount: 20,
  /** How long a job takes from there on. */
  workMs: 800,
  /** Ends between two polls, so that it is seen who wakes. */
  asleepMs: 1_500,
  /** The trigger's own limit; repositories are read twice as often, and so a lost webhook is not felt for long. */
  maxStalenessSeconds: 12,
} as const;
