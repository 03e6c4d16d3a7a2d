import { z } from 'zod';
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

/**
 * The jobs of runs, and single ones. GitHub answers 404 for one that is gone, and for one whose repository we may no
 * longer see: `not_found` alone does not say that there is no job.
 */
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
    const { value, askedAtMs } = await readAll(this.client, ask, signal);
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
    const { value, askedAtMs } = await this.client.page(ask, signal);
    return { value: jobOf(repo, value), askedAtMs };
  }
}

function about(what: string): About {
  return {
    what,
    permission: 'Actions: read',
    missing: 'it was deleted, or we may no longer see its repository',
  };
}

/** A job as REST tells of it. `requested` and `pending` have not come as far as to need a runner. */
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
    // REST says `waiting` of a job behind a gate: it needs no second look.
    gated: false,
  };
}
