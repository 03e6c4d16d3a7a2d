import type { Job, JobState } from '../world/job.ts';
import { commitOf } from './commit.ts';
import { timestamp, type Urls } from './urls.ts';
import { workflow } from './workflow.ts';

/** GitHub's `job`. A webhook's `workflow_job` has the same keys. */
export function jobShape(job: Job, state: JobState, urls: Urls) {
  const { run } = job;
  const api = `${urls.api}/repos/${run.repo.fullName}`;
  const { runner } = state;
  return {
    id: job.id,
    run_id: run.id,
    workflow_name: workflow.name,
    head_branch: 'main',
    run_url: `${api}/actions/runs/${run.id}`,
    run_attempt: job.attempt,
    node_id: `CR_${job.id}`,
    head_sha: commitOf(run),
    url: `${api}/actions/jobs/${job.id}`,
    html_url: `${urls.html}/${run.repo.fullName}/actions/runs/${run.id}/job/${job.id}`,
    status: state.status,
    conclusion: state.conclusion,
    created_at: timestamp(job.createdAtMs),
    started_at: timestamp(state.startedAtMs),
    completed_at: state.completedAtMs === null ? null : timestamp(state.completedAtMs),
    name: job.name,
    steps: steps(state),
    check_run_url: `${api}/check-runs/${job.id}`,
    labels: state.labels,
    runner_id: runner === null ? null : runner.id,
    runner_name: runner === null ? null : runner.name,
    runner_group_id: runner === null ? null : 1,
    runner_group_name: runner === null ? null : 'Default',
  };
}

function steps(state: JobState) {
  if (state.runner === null) return [];
  const { status, conclusion, startedAtMs, completedAtMs } = state;
  return [
    {
      name: 'Set up job',
      status,
      conclusion,
      number: 1,
      started_at: timestamp(startedAtMs),
      completed_at: completedAtMs === null ? null : timestamp(completedAtMs),
    },
  ];
}
