import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ScalerError } from '../../../errors.ts';
import type { Logger } from '../../../telemetry/log.ts';
import { canonicalLabels, type Job, type RunRef } from '../rules/job.ts';
import type { Dated, JobsOfRun, OpenRun, OpenRuns, RepoIdentity } from './api.ts';
import { type Ask, type Chunk, type Client, largestPage, type Page } from './client.ts';
import { type About, isNotFound } from './errors.ts';
import { attempt, id, listOf, repositoryShape, time, total } from './shapes.ts';

/** The states of an open run. `queued` comes first: a run that advances while we read then shows in a later list. */
const openStates = ['queued', 'requested', 'pending', 'waiting', 'in_progress'] as const;
/** "Returns up to 1,000 results for each search" (docs.github.com/rest/actions/workflow-runs). */
const maxFound = 1_000;
/** At most 20,000 open runs of a state. */
const maxWindows = 20;
/** A run lives for at most 35 days, and can be re-run until 30 days after its start. Older ones have ended. */
const oldestOpenMs = 70 * 86_400_000;
/** How long to remember that one list does not show all of a repository's open runs. */
const busyMs = 6 * 3_600_000;
const maxBusyRepos = 20_000;

/**
 * The open runs of a repository, and their jobs. GitHub answers 404 for something that is gone, but also for a
 * repository that is no longer visible to us. So `not_found` alone does not mean that no job exists.
 */
export class Runs {
  private readonly client: Client;
  private readonly runs: z.ZodType<Chunk<RunShape>>;
  private readonly jobs: z.ZodType<Chunk<JobShape>>;
  /** Repositories with more runs than one list shows. For them that list is skipped. */
  private readonly busy: LRUCache<string, true>;

  constructor(client: Client, log: Logger) {
    const perf = { now: () => client.wire.now() };
    this.client = client;
    this.busy = new LRUCache({ max: maxBusyRepos, ttl: busyMs, ttlResolution: 0, perf });
    this.runs = z
      .object({ total_count: total, workflow_runs: listOf(runShape, 'a workflow run', log) })
      .transform(({ total_count: of, workflow_runs: items }) => ({ items, total: of }));
    this.jobs = z
      .object({ total_count: total, jobs: listOf(jobShape, 'a job', log) })
      .transform(({ total_count: of, jobs: items }) => ({ items, total: of }));
  }

  async open(repo: string, signal: AbortSignal): Promise<OpenRuns> {
    const { runs, told, askedAtMs, moved } = await this.openOf(repo, signal);
    // The lists come from an index that may lag, so a name in it may be old.
    const identity = moved ? await this.identify(repo, signal) : told && { id: told, name: repo };
    return { value: openRuns(runs), askedAtMs, ...(identity && { repo: identity }) };
  }

  /** Every job of the run's latest attempt. */
  async jobsOf({ repo, runId }: RunRef, signal: AbortSignal): Promise<JobsOfRun> {
    const { owner, path } = repoPath(repo);
    const ask = {
      operation: 'jobs',
      as: { owner },
      path: `${path}/actions/runs/${runId}/jobs`,
      query: 'filter=latest',
      schema: this.jobs,
      about: aboutJobs(`the jobs of run ${runId} of ${repo}`),
    };
    const { value, askedAtMs, moved } = await this.client.list(ask, signal);
    return { value: value.map((job) => jobOf(repo, job)), askedAtMs, ...(moved && { moved }) };
  }

  async job({ repo, jobId }: { repo: string; jobId: number }, signal: AbortSignal): Promise<Dated<Job>> {
    const { owner, path } = repoPath(repo);
    const ask = {
      operation: 'job',
      as: { owner },
      path: `${path}/actions/jobs/${jobId}`,
      schema: jobShape,
      about: aboutJobs(`job ${jobId} of ${repo}`),
    };
    const { value, askedAtMs } = await this.client.page(ask, signal);
    return { value: jobOf(repo, value), askedAtMs };
  }

  private async openOf(
    repo: string,
    signal: AbortSignal,
  ): Promise<{
    runs: readonly RunShape[];
    /** The ID of the repository. */
    told: number | undefined;
    askedAtMs: number;
    moved: boolean;
  }> {
    let told: number | undefined;
    if (!this.busy.has(repo)) {
      const page = await this.client.firstPage(this.ask(repo, {}), signal);
      const { items } = page.value;
      told = idIn(items);
      if (this.saysAll(page)) return { ...page, runs: items, told };
      this.busy.set(repo, true);
    }
    const seen = new Map<number, RunShape>();
    let askedAtMs: number | undefined;
    let moved = false;
    for (const status of openStates) {
      const listed = await this.inState(repo, status, signal);
      askedAtMs ??= listed.askedAtMs;
      moved ||= listed.moved;
      for (const run of listed.value) seen.set(run.id, run);
    }
    const runs = [...seen.values()];
    return { runs, told: idIn(runs) ?? told, askedAtMs: askedAtMs ?? this.client.wire.now(), moved };
  }

  /** Whether the newest runs are all runs of the repository, or at least all open ones. */
  private saysAll({ value, next }: Page<Chunk<RunShape>>): boolean {
    if (next === undefined && value.total !== undefined && value.total <= largestPage) return true;
    const oldest = value.items.at(-1)?.created_at;
    const { wire } = this.client;
    return oldest !== undefined && wire.now() + wire.clockOffsetMs - oldest > oldestOpenMs;
  }

  /** A search returns only the newest 1,000. Older runs are searched for by their time. */
  private async inState(
    repo: string,
    status: string,
    signal: AbortSignal,
  ): Promise<Dated<RunShape[]> & { readonly moved: boolean }> {
    const seen = new Map<number, RunShape>();
    let askedAtMs: number | undefined;
    let moved = false;
    let filter: Record<string, string> = { status };
    for (let windows = 0; windows < maxWindows; windows += 1) {
      const known = seen.size;
      const found = await this.client.list(this.ask(repo, filter), signal);
      askedAtMs ??= found.askedAtMs;
      moved ||= found.moved;
      for (const run of found.value) seen.set(run.id, run);
      const oldest = oldestOf(found.value);
      const complete = found.value.length < maxFound || oldest === undefined || seen.size === known;
      if (complete) return { value: [...seen.values()], askedAtMs, moved };
      filter = { status, created: `<=${new Date(oldest).toISOString().slice(0, 19)}Z` };
    }
    const text = `${repo} has more than ${seen.size} ${status} runs: too many to be read`;
    throw new ScalerError('unavailable', text);
  }

  /** The repository that has this name now. Undefined if none is visible to us. */
  private async identify(repo: string, signal: AbortSignal): Promise<RepoIdentity | undefined> {
    const { owner, path } = repoPath(repo);
    const ask = {
      operation: 'repository',
      as: { owner },
      path,
      schema: repositoryShape,
      about: { ...aboutRuns(repo), what: `the repository ${repo}`, permission: 'Metadata: read' },
    };
    try {
      const { value } = await this.client.page(ask, signal);
      return { id: value.id, name: value.name };
    } catch (reason) {
      if (isNotFound(reason)) return undefined;
      throw reason;
    }
  }

  private ask(repo: string, filter: Record<string, string>): Ask<Chunk<RunShape>> {
    const { owner, path } = repoPath(repo);
    return {
      operation: 'runs',
      as: { owner },
      path: `${path}/actions/runs`,
      query: new URLSearchParams(filter).toString(),
      schema: this.runs,
      about: aboutRuns(repo),
    };
  }
}

const runShape = z.object({
  id,
  status: z.string().nullish(),
  run_attempt: attempt,
  created_at: time,
  repository: z.object({ id }).optional().catch(undefined),
});
type RunShape = z.infer<typeof runShape>;

const jobShape = z.object({
  id,
  run_id: id,
  run_attempt: attempt,
  status: z.enum(['queued', 'in_progress', 'completed', 'waiting', 'requested', 'pending']),
  labels: z.array(z.unknown()).nullish(),
  created_at: time,
  started_at: time,
  completed_at: time,
});
type JobShape = z.infer<typeof jobShape>;

/** Converts a job of the REST API. `requested` and `pending` jobs do not need a runner yet. */
function jobOf(repo: string, shape: JobShape): Job {
  const status = shape.status === 'requested' || shape.status === 'pending' ? 'waiting' : shape.status;
  const since = { waiting: shape.created_at, queued: shape.created_at, in_progress: shape.started_at };
  return {
    jobId: shape.id,
    runId: shape.run_id,
    runAttempt: shape.run_attempt,
    repo,
    labels: canonicalLabels(shape.labels ?? []),
    status,
    sinceMs: status === 'completed' ? shape.completed_at : since[status],
    // For a job behind a gate REST says `waiting`, so it needs no second look.
    gated: false,
  };
}

/** The ID of the repository of the runs. */
function idIn(runs: readonly RunShape[]): number | undefined {
  return runs.find(({ repository }) => repository !== undefined)?.repository?.id;
}

function oldestOf(runs: readonly RunShape[]): number | undefined {
  let oldest: number | undefined;
  for (const { created_at: createdAtMs } of runs) {
    if (createdAtMs !== undefined && !(createdAtMs >= (oldest ?? Number.POSITIVE_INFINITY)))
      oldest = createdAtMs;
  }
  return oldest;
}

/** The lists come from an index that may lag. The state of the run itself is newer. */
function openRuns(runs: Iterable<RunShape>): OpenRun[] {
  const open: OpenRun[] = [];
  for (const { id: runId, run_attempt: runAttempt, status } of runs) {
    if (status !== 'completed') open.push({ runId, runAttempt });
  }
  return open;
}

function aboutRuns(repo: string): About {
  return {
    what: `the runs of ${repo}`,
    permission: 'Actions: read',
    missing: `check that ${repo} exists, and that the App is installed on it (or the token may read it)`,
  };
}

function aboutJobs(what: string): About {
  return {
    what,
    permission: 'Actions: read',
    missing: 'it was deleted, or the scaler may no longer see its repository',
  };
}

/** `owner/name` by GitHub's rules. `.` and `..` would lead to another path. */
const fullName = /^([\w.-]+)\/(?!\.{1,2}$)([\w.-]+)$/;

/** `/repos/owner/name`, and the owner. Throws ScalerError `invalid` if it is not `owner/name`. */
export function repoPath(repo: string): { readonly owner: string; readonly path: string } {
  const owner = fullName.exec(repo)?.[1];
  if (owner === undefined || /^\.{1,2}$/.test(owner)) {
    const text = `${JSON.stringify(repo.slice(0, 140))} is no repository: write it as owner/name`;
    throw new ScalerError('invalid', text);
  }
  return { owner, path: `/repos/${repo}` };
}
