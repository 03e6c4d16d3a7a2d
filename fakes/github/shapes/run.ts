import type { Repo } from '../world/owner.ts';
import type { Run, RunView } from '../world/run.ts';
import { account, sender } from './account.ts';
import { commitOf, headCommit } from './commit.ts';
import { minimalRepository } from './repository.ts';
import { timestamp, type Urls } from './urls.ts';
import { workflow } from './workflow.ts';

// Kept because a page of runs contains its repository two hundred times.
const repositories = new WeakMap<Repo, ReturnType<typeof minimalRepository>>();

/** GitHub's `workflow-run`. A webhook's `workflow_run` has the same keys. */
export function runShape(run: Run, view: RunView, urls: Urls) {
  const { repo } = run;
  const api = `${urls.api}/repos/${repo.fullName}`;
  const self = `${api}/actions/runs/${run.id}`;
  const actor = account(sender, urls);
  const known = repositories.get(repo);
  const repository = known?.full_name === repo.fullName ? known : minimalRepository(repo, urls);
  repositories.set(repo, repository);
  return {
    id: run.id,
    name: workflow.name,
    node_id: `WFR_${run.id}`,
    head_branch: 'main',
    head_sha: commitOf(run),
    path: workflow.path,
    display_title: 'Update the workflow',
    run_number: run.number,
    event: run.event,
    status: view.status,
    conclusion: view.conclusion,
    workflow_id: workflow.id,
    check_suite_id: run.id + 1,
    check_suite_node_id: `CS_${run.id + 1}`,
    url: self,
    html_url: `${urls.html}/${repo.fullName}/actions/runs/${run.id}`,
    pull_requests: [],
    created_at: timestamp(run.createdAtMs),
    updated_at: timestamp(view.updatedAtMs),
    actor,
    run_attempt: view.attempt,
    referenced_workflows: [],
    run_started_at: timestamp(view.startedAtMs),
    triggering_actor: actor,
    jobs_url: `${self}/jobs`,
    logs_url: `${self}/logs`,
    check_suite_url: `${api}/check-suites/${run.id + 1}`,
    artifacts_url: `${self}/artifacts`,
    cancel_url: `${self}/cancel`,
    rerun_url: `${self}/rerun`,
    previous_attempt_url: view.attempt > 1 ? `${self}/attempts/${view.attempt - 1}` : null,
    workflow_url: `${api}/actions/workflows/${workflow.id}`,
    head_commit: headCommit(run),
    repository,
    head_repository: repository,
  };
}
