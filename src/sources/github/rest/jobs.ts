import { z } from 'zod';
import { ScalerError } from '../../../errors.ts';
import type { Logger } from '../../../telemetry/log.ts';
import type { Asked } from '../api.ts';
import { canonicalLabels, type Job, type RunRef } from '../job.ts';
import type { Client } from './client.ts';
import type { About } from './errors.ts';
import { Etags } from './etags.ts';
import { type Chunk, readAll } from './pages.ts';
import { listOf } from './readable.ts';
import { repoPath } from './repo-path.ts';
import { type JobShape, jobShape } from './shapes.ts';

/** The jobs of runs, and single ones. */
export class Jobs {
  private readonly client: Client;
  private readonly schema: z.ZodType<Chunk<JobShape>>;
  private readonly pages = new Etags<Chunk<JobShape>>();
  private readonly jobs = new Etags<JobShape>();

  constructor(client: Client, log: Logger) {
    this.client = client;
    this.schema = z
      .object({
        total_count: z.int().nonnegative().optional().catch(undefined),
        jobs: listOf(jobShape, 'a job', log),
      })
      .transform(({ total_count: total, jobs: items }) => ({ items, total }));
  }

  async ofRun({ repo, runId }: RunRef, signal: AbortSignal): Promise<Asked<readonly Job[]>> {
    const { owner, path } = repoPath(repo);
    const ask = {
      operation: 'jobs',
      as: { owner },
      path: `${path}/actions/runs/${runId}/jobs`,
      query: 'filter=latest&per_page=100',
      schema: this.schema,
      about: about(`the jobs of run ${runId} of ${repo}`),
      etags: this.pages,
    };
    const { value, askedAtMs } = await this.orRepoGone(repo, readAll(this.client, ask, signal), signal);
    return { value: value.map((job) => jobOf(repo, job)), askedAtMs };
  }

  async one({ repo, jobId }: { repo: string; jobId: number }, signal: AbortSignal): Promise<Asked<Job>> {
    const { owner, path } = repoPath(repo);
    const ask = {
      operation: 'job',
      as: { owner },
      path: `${path}/actions/jobs/${jobId}`,
      schema: jobShape,
      about: about(`job ${jobId} of ${repo}`),
      etags: this.jobs,
    };
    const { value, askedAtMs } = await this.orRepoGone(repo, this.client.page(ask, signal), signal);
    return { value: jobOf(repo, value), askedAtMs };
  }

  /**
   * A 404 says that a run or a job is gone only where we still see its repository: GitHub answers 404 as well when the
   * App is taken off it, and then nothing is known of its jobs.
   */
  private async orRepoGone<T>(repo: string, asking: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await asking;
    } catch (reason) {
      if (isNotFound(reason)) await this.checkVisible(repo, signal);
      throw reason;
    }
  }

  private async checkVisible(repo: string, signal: AbortSignal): Promise<void> {
    const { owner, path } = repoPath(repo);
    try {
      await this.client.page(
        { operation: 'repository', as: { owner }, path, schema: z.object({}), about: { what: repo } },
        signal,
      );
    } catch (reason) {
      if (!isNotFound(reason)) throw reason;
      throw new ScalerError(
        'unavailable',
        `we no longer see ${repo}: it was deleted, or the App was taken off it (or the token may not read it)`,
      );
    }
  }
}

function about(what: string): About {
  return { what, permission: 'Actions: read', missing: 'it was deleted' };
}

function isNotFound(reason: unknown): boolean {
  return reason instanceof ScalerError && reason.code === 'not_found';
}

/** A job as REST tells of it. `requested` and `pending` have not come as far as to need a runner. */
export function jobOf(repo: string, shape: JobShape): Job {
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
    // REST says `waiting` of a job behind a gate: it needs no second look.
    gated: false,
  };
}
