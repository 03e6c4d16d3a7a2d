import { Lagged } from './lagged.ts';
import type { Run } from './run.ts';

export type JobStatus = 'requested' | 'waiting' | 'pending' | 'queued' | 'in_progress' | 'completed';
export type Conclusion =
  | 'success'
  | 'failure'
  | 'neutral'
  | 'cancelled'
  | 'skipped'
  | 'timed_out'
  | 'action_required';

/** Never changed, always replaced: deliveries keep it, to send the same again. */
export interface JobState {
  readonly status: JobStatus;
  readonly conclusion: Conclusion | null;
  readonly startedAtMs: number;
  readonly completedAtMs: number | null;
  readonly runner: { readonly id: number; readonly name: string } | null;
  readonly labels: readonly string[];
}

export class Job {
  readonly id: number;
  readonly run: Run;
  readonly attempt: number;
  readonly name: string;
  readonly environment: boolean;
  readonly createdAtMs: number;
  /** Undefined until REST shows it. */
  readonly state: Lagged<JobState | undefined> = new Lagged<JobState | undefined>(undefined);

  constructor(from: {
    id: number;
    run: Run;
    attempt: number;
    name: string;
    environment: boolean;
    createdAtMs: number;
  }) {
    this.id = from.id;
    this.run = from.run;
    this.attempt = from.attempt;
    this.name = from.name;
    this.environment = from.environment;
    this.createdAtMs = from.createdAtMs;
  }

  get current(): JobState {
    const state = this.state.now;
    if (state === undefined) throw new Error(`job ${this.id} has no state yet`);
    return state;
  }

  get status(): JobStatus {
    return this.current.status;
  }

  get labels(): readonly string[] {
    return this.current.labels;
  }
}
