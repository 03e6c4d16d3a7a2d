import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ScalerError } from '../../../errors.ts';
import type { Logger } from '../../../telemetry/log.ts';
import type { Asked, OpenRun } from '../api.ts';
import type { Ask, Client } from './client.ts';
import { Etags } from './etags.ts';
import { type Chunk, readAll } from './pages.ts';
import { listOf } from './readable.ts';
import { repoPath } from './repo-path.ts';
import { type RunShape, runShape } from './shapes.ts';

/** The states of a run that is not over. `queued` first: a run that goes on while we read shows in a later list. */
const openStates = ['queued', 'requested', 'pending', 'waiting', 'in_progress'] as const;
const pageSize = 100;
/** "Returns up to 1,000 results for each search" (docs.github.com/rest/actions/workflow-runs). */
const maxFound = 1_000;
/** 20,000 open runs of one state. */
const maxWindows = 20;
/** A run lives for 35 days at most, and can be run again until 30 days after its start: older ones are over. */
const oldestOpenMs = 70 * 86_400_000;
/** For how long it is remembered that one list does not say all of a repository. */
const busyMs = 6 * 3_600_000;
const maxBusyRepos = 20_000;

/** The runs of a repository that are not over. */
export class Runs {
  private readonly client: Client;
  private readonly schema: z.ZodType<Chunk<RunShape>>;
  private readonly etags = new Etags<Chunk<RunShape>>();
  /** Repositories that ran more often than one list shows: it need not be asked for. */
  private readonly busy: LRUCache<string, true>;

  constructor(client: Client, log: Logger) {
    this.client = client;
    const perf = { now: () => client.sender.now() };
    this.busy = new LRUCache({ max: maxBusyRepos, ttl: busyMs, ttlResolution: 0, perf });
    this.schema = z
      .object({
        total_count: z.int().nonnegative().optional().catch(undefined),
        workflow_runs: listOf(runShape, 'a workflow run', log),
      })
      .transform(({ total_count: total, workflow_runs: items }) => ({ items, total }));
  }

  async open(repo: string, signal: AbortSignal): Promise<Asked<readonly OpenRun[]>> {
    const nowMs = this.client.sender.now();
    if (!this.busy.has(repo)) {
      const { value: newest, askedAtMs } = await this.client.page(this.ask(repo, {}), signal);
      if (this.saysAll(newest)) return { value: openRuns(newest.items), askedAtMs };
      this.busy.set(repo, true);
    }
    const seen = new Map<number, RunShape>();
    let askedAtMs: number | undefined;
    for (const status of openStates) {
      const listed = await this.inState(repo, status, signal);
      askedAtMs ??= listed.askedAtMs;
      for (const run of listed.value) seen.set(run.id, run);
    }
    return { value: openRuns(seen.values()), askedAtMs: askedAtMs ?? nowMs };
  }

  /** Whether the newest runs are all there are, or all that can be open. */
  private saysAll({ items, total }: Chunk<RunShape>): boolean {
    if (total !== undefined && total <= pageSize) return true;
    const oldest = items.at(-1)?.created_at;
    const githubNowMs = this.client.sender.now() + this.client.sender.clockOffsetMs;
    return oldest !== undefined && githubNowMs - oldest > oldestOpenMs;
  }

  /** A search gives no more than the newest 1,000: what is older is searched for by its time. */
  private async inState(repo: string, status: string, signal: AbortSignal): Promise<Asked<RunShape[]>> {
    const seen = new Map<number, RunShape>();
    let askedAtMs: number | undefined;
    let filter: Record<string, string> = { status };
    for (let windows = 0; windows < maxWindows; windows += 1) {
      const known = seen.size;
      const found = await readAll(this.client, this.ask(repo, filter), signal);
      askedAtMs ??= found.askedAtMs;
      for (const run of found.value) seen.set(run.id, run);
      const oldest = oldestOf(found.value);
      const complete = found.value.length < maxFound || oldest === undefined || seen.size === known;
      if (complete) return { value: [...seen.values()], askedAtMs };
      filter = { status, created: `<=${new Date(oldest).toISOString().slice(0, 19)}Z` };
    }
    throw new ScalerError(
      'unavailable',
      `${repo} has more than ${seen.size} ${status} runs: too many to be read`,
    );
  }

  private ask(repo: string, filter: Record<string, string>): Ask<Chunk<RunShape>> {
    const { owner, path } = repoPath(repo);
    const query = new URLSearchParams({ ...filter, per_page: String(pageSize) });
    return {
      operation: 'runs',
      as: { owner },
      path: `${path}/actions/runs`,
      query: query.toString(),
      schema: this.schema,
      about: {
        what: `the runs of ${repo}`,
        permission: 'Actions: read',
        missing: `check that ${repo} exists, and that the App is installed on it (or the token may read it)`,
      },
      etags: this.etags,
    };
  }
}

function oldestOf(runs: readonly RunShape[]): number | undefined {
  let oldest: number | undefined;
  for (const { created_at: createdAtMs } of runs) {
    if (createdAtMs !== undefined && !(createdAtMs >= (oldest ?? Number.POSITIVE_INFINITY)))
      oldest = createdAtMs;
  }
  return oldest;
}

/** The lists come from an index that can be behind; what the run itself says is newer. */
function openRuns(runs: Iterable<RunShape>): OpenRun[] {
  const open: OpenRun[] = [];
  for (const { id: runId, run_attempt: runAttempt, status } of runs) {
    if (status !== 'completed') open.push({ runId, runAttempt });
  }
  return open;
}
