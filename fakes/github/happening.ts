import type { Job, JobState } from './world/job.ts';
import type { Repo } from './world/owner.ts';
import type { Run, RunView } from './world/run.ts';

/** Something that webhooks report, as it was at that moment. */
export type Happening = JobHappening | RunHappening;

export interface JobHappening {
  readonly event: 'workflow_job';
  readonly action: 'queued' | 'waiting' | 'in_progress' | 'completed';
  readonly repo: Repo;
  readonly job: Job;
  readonly state: JobState;
  /** Whether to name the `deployment` that waits for approval. */
  readonly deployment: boolean;
}

export interface RunHappening {
  readonly event: 'workflow_run';
  readonly action: 'requested' | 'in_progress' | 'completed';
  readonly repo: Repo;
  readonly run: Run;
  readonly view: RunView;
}
