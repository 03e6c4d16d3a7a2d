import type { Job } from './job.ts';

/*
 * What a webhook says, as the event log keeps it: plain JSON.
 */

export interface JobFact extends Job {
  readonly kind: 'job';
  /** The App's installation on the owner, which saves asking GitHub for it. */
  readonly installationId?: number;
}

/** `workflow_run`: the second word about a run's jobs, at no cost. `completed` ends all that are still open. */
export interface RunFact {
  readonly kind: 'run';
  readonly repo: string;
  readonly runId: number;
  readonly runAttempt: number;
  readonly status: 'requested' | 'in_progress' | 'completed';
  readonly installationId?: number;
}

export type GitHubFact = JobFact | RunFact;
