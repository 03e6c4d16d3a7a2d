import type { RunRef } from './job.ts';
import {
  type DueBound,
  dueAtMs,
  emptyBound,
  type JobRecord,
  lowerBound,
  type Silence,
} from './job-record.ts';

/** A run with open jobs. */
interface OpenRun {
  readonly runId: number;
  repo: string;
  readonly jobs: Map<number, JobRecord>;
  /** Never later than the exact one. */
  bound: DueBound;
  /** Whether `bound` is exact. A job that was replaced or removed may have been the earliest. */
  exact: boolean;
  /** Never later than when the first of its jobs was first heard of. */
  firstHeardMs: number;
}

/** The open jobs by run, and the runs by repository. The cost of a call grows with the runs, not the jobs. */
export class OpenRuns {
  private readonly runs = new Map<number, OpenRun>();
  private readonly byRepo = new Map<string, Set<OpenRun>>();

  get size(): number {
    return this.runs.size;
  }

  repos(): Iterable<string> {
    return this.byRepo.keys();
  }

  runsOf(repo: string): readonly RunRef[] {
    return Array.from(this.byRepo.get(repo) ?? [], refOf);
  }

  jobsOf(runId: number): Iterable<JobRecord> {
    return this.runs.get(runId)?.jobs.values() ?? [];
  }

  /** Adds or replaces a job. */
  put(record: JobRecord): void {
    const run = this.runs.get(record.runId) ?? this.open(record);
    if (run.repo !== record.repo) this.rename(run, record.repo);
    if (run.jobs.has(record.jobId)) run.exact = false;
    run.jobs.set(record.jobId, record);
    lowerBound(run.bound, record);
    run.firstHeardMs = Math.min(run.firstHeardMs, record.firstHeardMs);
  }

  remove({ runId, jobId }: JobRecord): void {
    const run = this.runs.get(runId);
    if (run === undefined) return;
    run.jobs.delete(jobId);
    run.exact = false;
    if (run.jobs.size > 0) return;
    this.runs.delete(runId);
    this.leave(run);
  }

  /** The runs with a job to verify, the longest due first. */
  due(nowMs: number, silence: Silence): readonly RunRef[] {
    const due: { run: OpenRun; atMs: number }[] = [];
    for (const run of this.runs.values()) {
      if (dueAtMs(run.bound, silence) > nowMs) continue;
      makeExact(run);
      const atMs = dueAtMs(run.bound, silence);
      if (atMs <= nowMs) due.push({ run, atMs });
    }
    return due.sort((a, b) => a.atMs - b.atMs).map(({ run }) => refOf(run));
  }

  /** The jobs of all runs with a job that was first heard of before `beforeMs`. */
  *jobsHeardBefore(beforeMs: number): Iterable<JobRecord> {
    for (const run of this.runs.values()) if (run.firstHeardMs < beforeMs) yield* run.jobs.values();
  }

  private open({ runId, repo, firstHeardMs }: JobRecord): OpenRun {
    const run = { runId, repo, jobs: new Map(), bound: emptyBound(), exact: true, firstHeardMs };
    this.runs.set(runId, run);
    this.enter(run);
    return run;
  }

  private rename(run: OpenRun, repo: string): void {
    this.leave(run);
    run.repo = repo;
    this.enter(run);
  }

  private enter(run: OpenRun): void {
    const runs = this.byRepo.get(run.repo) ?? new Set();
    this.byRepo.set(run.repo, runs.add(run));
  }

  private leave(run: OpenRun): void {
    const runs = this.byRepo.get(run.repo);
    runs?.delete(run);
    if (runs?.size === 0) this.byRepo.delete(run.repo);
  }
}

function makeExact(run: OpenRun): void {
  if (run.exact) return;
  run.bound = emptyBound();
  for (const record of run.jobs.values()) lowerBound(run.bound, record);
  run.exact = true;
}

function refOf({ repo, runId }: OpenRun): RunRef {
  return { repo, runId };
}
