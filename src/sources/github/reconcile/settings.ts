/** How often GitHub is asked; in seconds, as the configuration has them. */
export interface ReconcileSettings {
  /** `owner/name` of the repositories the connection is limited to; none: all that GitHub lists. */
  readonly repos: readonly string[];
  /** A job that waits is verified when it was silent for this long. */
  readonly verifyQueuedSeconds: number;
  /** A job that runs, likewise. */
  readonly verifyRunningSeconds: number;
  /** Active repositories are swept this often. */
  readonly sweepSeconds: number;
  /** All repositories are listed and swept this often. */
  readonly sweepAllSeconds: number;
  /** Deliveries that failed are looked for this often. */
  readonly deliveriesSeconds: number;
}

/** The longest that what has failed is left alone. */
export const mostBackoffMs = 60_000;
