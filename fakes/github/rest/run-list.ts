import type { Repo } from '../world/owner.ts';
import type { Run, RunView } from '../world/run.ts';
import { createdFilter } from './created.ts';

/** The most results that GitHub gives for a filtered list. */
export const maxFiltered = 1000;

export interface SeenRun {
  readonly run: Run;
  readonly view: RunView;
}

/** The runs of a list, newest first, and how many of them paging can reach. */
export function runsFor(
  repo: Repo,
  query: URLSearchParams,
  nowMs: number,
): { runs: SeenRun[]; reach: number } {
  const status = query.get('status');
  const created = createdFilter(query.get('created'));
  const event = query.get('event');
  const all = isOpenStatus(status) ? openRuns(repo, nowMs) : repo.runs;
  const runs: SeenRun[] = [];
  for (const run of all) {
    if (event !== null && run.event !== event) continue;
    if (!created(run.createdAtMs)) continue;
    const view = run.seen(nowMs);
    if (view === undefined) continue;
    if (status === null || view.status === status || view.conclusion === status) runs.push({ run, view });
  }
  const filtered = ['actor', 'branch', 'check_suite_id', 'created', 'event', 'head_sha', 'status'];
  const capped = filtered.some((name) => query.has(name));
  return { runs, reach: capped ? Math.min(runs.length, maxFiltered) : runs.length };
}

function isOpenStatus(status: string | null): boolean {
  return status !== null && ['queued', 'in_progress', 'waiting', 'pending', 'requested'].includes(status);
}

/** Forgets runs that REST shows as completed, so that years of history cost nothing. */
function openRuns(repo: Repo, nowMs: number): Run[] {
  for (const run of repo.open)
    if (run.status === 'completed' && run.seen(nowMs)?.status === 'completed') repo.open.delete(run);
  return [...repo.open].sort((a, b) => b.createdAtMs - a.createdAtMs || b.id - a.id);
}
