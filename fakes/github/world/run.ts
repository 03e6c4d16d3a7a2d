import type { Conclusion, Job, JobState, JobStatus } from './job.ts';
import { Lagged } from './lagged.ts';
import type { Repo } from './owner.ts';
import { runConclusion, runStatus } from './run-status.ts';

/** Never changed, always replaced. */
export interface RunState {
  readonly attempt: number;
  /** Stands in for what the jobs would say: a ghost, a run held back by its concurrency group. */
  readonly forced: JobStatus | undefined;
  /** Jobs that are not there yet because they need others first. */
  readonly jobsToCome: number;
  /** A runner has taken one of this attempt's jobs. */
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
  /** Undefined: REST does not show it yet. */
  readonly state: Lagged<RunState | undefined> = new Lagged<RunState | undefined>(undefined);
  /** The jobs of each attempt, the first attempt first. */
  readonly attempts: Job[][] = [[]];
  private latest: RunView | undefined;
  /** Until then REST may show something older. */
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

  /** It or one of its jobs is not what it was. */
  changed(lagsUntilMs: number): void {
    this.latest = undefined;
    this.lagsUntilMs = Math.max(this.lagsUntilMs, lagsUntilMs);
  }

  /** What REST shows of it; undefined where that is nothing yet. */
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
