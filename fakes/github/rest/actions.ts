import { jobShape } from '../shapes/job.ts';
import { runShape } from '../shapes/run.ts';
import type { Job, JobState } from '../world/job.ts';
import type { Repo } from '../world/owner.ts';
import { type Answer, notForIntegration, notFound, ok } from './answer.ts';
import { paged } from './paging.ts';
import { linkUrl, mayReadActions, repoOf } from './repositories.ts';
import type { RestRequest, Route } from './request.ts';
import { runsFor } from './run-list.ts';

const repo = '/repos/{owner}/{repo}';

export const actionsRoutes: readonly Route[] = [
  { method: 'GET', template: `${repo}/actions/runs`, by: 'anybody', answer: within(runs) },
  { method: 'GET', template: `${repo}/actions/runs/{run_id}`, by: 'anybody', answer: within(run) },
  { method: 'GET', template: `${repo}/actions/runs/{run_id}/jobs`, by: 'anybody', answer: within(jobs) },
  { method: 'GET', template: `${repo}/actions/jobs/{job_id}`, by: 'anybody', answer: within(job) },
];

type Inside = (request: RestRequest, repo: Repo) => Answer;

function within(answer: Inside): (request: RestRequest) => Answer {
  return (request) => {
    const repo = repoOf(request);
    if (repo === undefined) return notFound;
    return mayReadActions(request, repo.owner) ? answer(request, repo) : notForIntegration;
  };
}

function runs(request: RestRequest, repo: Repo): Answer {
  const { url, world, urls } = request;
  if (Number(url.searchParams.get('page') ?? 1) > 1 && request.faults.takeDrift()) drift(request, repo);
  const { runs, reach } = runsFor(repo, url.searchParams, world.now());
  const page = paged(runs, linkUrl(request, `/repositories/${repo.id}/actions/runs`), reach);
  const workflow_runs = page.items.map(({ run, view }) => runShape(run, view, urls));
  return ok({ total_count: runs.length, workflow_runs }, page.headers);
}

/** Completes the first run of the list, so that all others move up by one. */
function drift({ url, world, workflows }: RestRequest, repo: Repo): void {
  const first = runsFor(repo, url.searchParams, world.now()).runs[0];
  if (first === undefined) return;
  world.setRun(first.run, { ...first.run.current, forced: undefined, jobsToCome: 0 });
  const open = first.run.jobs.filter((job) => job.status !== 'completed');
  for (const job of open) workflows.complete(job);
}

function run(request: RestRequest, repo: Repo): Answer {
  const run = request.world.runs.get(Number(request.params['run_id']));
  const view = run?.repo === repo ? run.seen(request.world.now()) : undefined;
  return run === undefined || view === undefined ? notFound : ok(runShape(run, view, request.urls));
}

function jobs(request: RestRequest, repo: Repo): Answer {
  const { url, world, urls } = request;
  const run = world.runs.get(Number(request.params['run_id']));
  const view = run?.repo === repo ? run.seen(world.now()) : undefined;
  if (run === undefined || view === undefined) return notFound;
  const attempts = run.attempts.slice(0, view.attempt);
  const all = url.searchParams.get('filter') === 'all' ? attempts.flat() : (attempts.at(-1) ?? []);
  const seen: { job: Job; state: JobState }[] = [];
  for (const job of all) {
    const state = job.state.seen(world.now());
    if (state !== undefined) seen.push({ job, state });
  }
  const page = paged(seen, linkUrl(request, `/repositories/${repo.id}/actions/runs/${run.id}/jobs`));
  const shapes = page.items.map(({ job, state }) => jobShape(job, state, urls));
  return ok({ total_count: seen.length, jobs: shapes }, page.headers);
}

function job(request: RestRequest, repo: Repo): Answer {
  const job = request.world.jobs.get(Number(request.params['job_id']));
  const state = job?.run.repo === repo ? job.state.seen(request.world.now()) : undefined;
  return job === undefined || state === undefined ? notFound : ok(jobShape(job, state, request.urls));
}
