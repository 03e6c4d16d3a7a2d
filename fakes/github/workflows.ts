import type { Happening } from './happening.ts';
import type { Conclusion, Job, JobState, JobStatus } from './world/job.ts';
import type { Repo } from './world/owner.ts';
import type { Run } from './world/run.ts';
import type { World } from './world/world.ts';

export interface JobRequest {
  readonly labels: readonly string[];
  readonly name?: string;
  /** The job deploys to an environment that needs an approval. */
  readonly environment?: boolean;
  /** Default: `queued`, or `waiting` with an environment. */
  readonly status?: 'queued' | 'waiting' | 'pending' | 'requested';
}

export interface RunRequest {
  readonly jobs: readonly JobRequest[];
  readonly event?: string;
  /** Holds the whole run back until `release`. Its jobs are not announced. */
  readonly status?: 'pending' | 'requested' | 'waiting';
  /** How many more jobs `addJob` will add. The run does not complete before. Default: 0. */
  readonly jobsToCome?: number;
}

/** Changes runs and jobs, and reports each change as GitHub's webhooks do. */
export class Workflows {
  private readonly world: World;
  private readonly tell: (happening: Happening) => void;
  private lastRunnerId = 20;

  constructor(world: World, tell: (happening: Happening) => void) {
    this.world = world;
    this.tell = tell;
  }

  start(repo: Repo, request: RunRequest): Run {
    const now = this.world.now();
    const run = this.world.addRun(repo, request.event ?? 'push', now, {
      attempt: 1,
      forced: request.status,
      jobsToCome: request.jobsToCome ?? 0,
      begun: false,
      startedAtMs: now,
    });
    const held = request.status !== undefined;
    const jobs = request.jobs.map((job) => this.create(run, held ? { status: 'pending', ...job } : job));
    this.tellRun(run, 'requested');
    if (!held) for (const job of jobs) this.announce(job);
    return run;
  }

  /** A job that comes later: of a matrix, or one that needs others. */
  addJob(run: Run, request: JobRequest): Job {
    const job = this.create(run, request);
    this.world.setRun(run, { ...run.current, jobsToCome: Math.max(0, run.current.jobsToCome - 1) });
    this.announce(job);
    return job;
  }

  /** Releases a run that was held back as a whole. */
  release(run: Run): void {
    this.world.setRun(run, { ...run.current, forced: undefined });
    for (const job of run.jobs) {
      if (job.status !== 'pending') continue;
      this.change(job, { status: job.environment ? 'waiting' : 'queued' });
      this.announce(job);
    }
  }

  /** Approves the job. A second `queued` reports it. */
  approve(job: Job): void {
    this.change(job, { status: 'queued' });
    this.tellJob(job, 'queued');
  }

  pick(job: Job, runnerName: string): void {
    const { run } = job;
    const { begun } = run.current;
    this.world.setRun(run, { ...run.current, begun: true });
    const runner = { id: ++this.lastRunnerId, name: runnerName };
    this.change(job, { status: 'in_progress', startedAtMs: this.world.now(), runner });
    this.tellJob(job, 'in_progress');
    if (!begun) this.tellRun(run, 'in_progress');
  }

  complete(job: Job, conclusion: Conclusion = 'success'): void {
    this.change(job, { status: 'completed', conclusion, completedAtMs: this.world.now() });
    this.tellJob(job, 'completed');
    this.tellIfCompleted(job.run);
  }

  /** The job's condition was false, so it never needed a runner. */
  skip(job: Job): void {
    const now = this.world.now();
    const skipped = { conclusion: 'skipped', labels: [], startedAtMs: now, completedAtMs: now } as const;
    this.change(job, { status: 'completed', ...skipped });
    this.tellJob(job, 'completed');
    this.tellIfCompleted(job.run);
  }

  cancel(run: Run): void {
    const now = this.world.now();
    this.world.setRun(run, { ...run.current, forced: undefined, jobsToCome: 0 });
    for (const job of run.jobs) {
      if (job.status === 'completed') continue;
      // A job without a runner starts and ends at once (actions-runner-controller#2520).
      const startedAtMs = job.current.runner === null ? now : job.current.startedAtMs;
      this.change(job, { status: 'completed', conclusion: 'cancelled', startedAtMs, completedAtMs: now });
      this.tellJob(job, 'completed');
    }
    this.tellIfCompleted(run);
  }

  /**
   * Runs the failed jobs again. All jobs get new IDs. Those that had succeeded are reported as completed once more
   * (actions-runner-controller#4315). No `requested` (docs.github.com, "Events that trigger workflows").
   */
  rerunFailed(run: Run): void {
    const before = run.jobs;
    const now = this.world.now();
    run.attempts.push([]);
    this.world.setRun(run, { ...run.current, attempt: run.attempt + 1, begun: false, startedAtMs: now });
    for (const old of before) {
      const { name, environment, current } = old;
      const carried = current.conclusion === 'success' || current.conclusion === 'skipped';
      const state = carried ? current : fresh(environment ? 'waiting' : 'queued', current.labels, now);
      const job = this.world.addJob(run, { name, environment, createdAtMs: now, state });
      if (carried) this.tellJob(job, 'completed');
      else this.announce(job);
    }
  }

  private create(run: Run, request: JobRequest): Job {
    const { labels, name = `job-${run.jobs.length + 1}`, environment = false } = request;
    const now = this.world.now();
    const state = fresh(request.status ?? (environment ? 'waiting' : 'queued'), labels, now);
    return this.world.addJob(run, { name, environment, createdAtMs: now, state });
  }

  private announce(job: Job): void {
    if (job.status === 'pending' || job.status === 'requested') return;
    this.tellJob(job, 'queued', job.status === 'waiting');
    if (job.status === 'waiting') this.tellJob(job, 'waiting');
  }

  private change(job: Job, state: Partial<JobState>): void {
    this.world.setJob(job, { ...job.current, ...state });
  }

  private tellIfCompleted(run: Run): void {
    if (run.status === 'completed') this.tellRun(run, 'completed');
  }

  private tellJob(
    job: Job,
    action: 'queued' | 'waiting' | 'in_progress' | 'completed',
    deployment = false,
  ): void {
    this.tell({
      event: 'workflow_job',
      action,
      repo: job.run.repo,
      job,
      state: job.current,
      deployment,
    });
  }

  private tellRun(run: Run, action: 'requested' | 'in_progress' | 'completed'): void {
    this.tell({ event: 'workflow_run', action, repo: run.repo, run, view: run.view() });
  }
}

function fresh(status: JobStatus, labels: readonly string[], nowMs: number): JobState {
  return { status, conclusion: null, startedAtMs: nowMs, completedAtMs: null, runner: null, labels };
}
