import type { Conclusion, Job, JobState, JobStatus } from './job.ts';
import { Lagged } from './lagged.ts';
import type { Repo } from './owner.ts';
import { runConclusion, runStatus } from './run-status.ts';

/** Never changed, always replaced. */
export interface RunState {
  readonly attempt: number;
  /** Overrides the status of the jobs: for a ghost, or a run held back by its concurrency group. */
  readonly forced: JobStatus | undefined;
  /** Jobs that come later, because they need others first. */
  readonly jobsToCome: number;
  /** A runner has taken a job of this attempt. */
  readonly begun: boolean;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
}

/** A run as REST and webhooks show it. */
export interface RunView {
  readonly attempt: number;
  readonly status: JobStatus;
  readonly conclusion: Conclusion | null;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
}

export class Run {
  readonly id: number;
  readonly repo: Repo;
  readonly number: number;
  readonly event: string;
  readonly createdAtMs: number;
  /** Undefined until REST shows it. */
  readonly state: Lagged<RunState | undefined> = new Lagged<RunState | undefined>(undefined);
  /** The jobs of each attempt, the first attempt first. */
  readonly attempts: Job[][] = [[]];
  private latest: RunView | undefined;
  /** Until then REST may show an older state. */
  private lagsUntilMs = 0;

  constructor(from: { id: number; repo: Repo; number: number; event: string; createdAtMs: number }) {
    this.id = from.id;
    this.repo = from.repo;
    this.number = from.number;
    this.event = from.event;
    this.createdAtMs = from.createdAtMs;
  }

  get current(): RunState {
    const state = this.state.now;
    if (state === undefined) throw new Error(`run ${this.id} has no state yet`);
    return state;
  }

  /** The jobs of the latest attempt. */
  get jobs(): readonly Job[] {
    return this.attempts.at(-1) ?? [];
  }

  get attempt(): number {
    return this.current.attempt;
  }

  get status(): JobStatus {
    return this.view().status;
  }

  view(): RunView {
    this.latest ??= viewOf(
      this.current,
      this.jobs.map((job) => job.current),
    );
    return this.latest;
  }

  /** The run or one of its jobs has changed. */
  changed(lagsUntilMs: number): void {
    this.latest = undefined;
    this.lagsUntilMs = Math.max(this.lagsUntilMs, lagsUntilMs);
  }

  /** The run as REST shows it. Undefined until it does. */
  seen(nowMs: number): RunView | undefined {
    if (nowMs >= this.lagsUntilMs) return this.view();
    const state = this.state.seen(nowMs);
    if (state === undefined) return undefined;
    const jobs: JobState[] = [];
    for (const job of this.attempts[state.attempt - 1] ?? []) {
      const seen = job.state.seen(nowMs);
      if (seen !== undefined) jobs.push(seen);
    }
    return viewOf(state, jobs);
  }
}

function viewOf(state: RunState, jobs: readonly JobState[]): RunView {
  const status = state.forced ?? runStatus(jobs, state.jobsToCome);
  return {
    attempt: state.attempt,
    status,
    conclusion: status === 'completed' ? runConclusion(jobs) : null,
    startedAtMs: state.startedAtMs,
    updatedAtMs: state.updatedAtMs,
  };
}
