import type { Job } from '../world/job.ts';
import { account, sender } from './account.ts';
import { commitOf } from './commit.ts';
import { timestamp, type Urls } from './urls.ts';

/** GitHub's `deployment`, for which a job behind an environment's gate waits. */
export function deployment(job: Job, urls: Urls) {
  const api = `${urls.api}/repos/${job.run.repo.fullName}`;
  const id = job.id % 1_000_000_000;
  return {
    url: `${api}/deployments/${id}`,
    id,
    node_id: `DE_${id}`,
    task: 'deploy',
    original_environment: 'production',
    environment: 'production',
    description: null,
    created_at: timestamp(job.createdAtMs),
    updated_at: timestamp(job.createdAtMs),
    statuses_url: `${api}/deployments/${id}/statuses`,
    repository_url: api,
    creator: account(sender, urls),
    sha: commitOf(job.run),
    ref: 'main',
    payload: {},
    transient_environment: false,
    production_environment: false,
    performed_via_github_app: actionsApp(urls),
  };
}

/** GitHub Actions is an App too. */
function actionsApp(urls: Urls) {
  return {
    id: 15_368,
    slug: 'github-actions',
    node_id: 'A_15368',
    owner: account({ id: 9_919, login: 'github', type: 'Organization' }, urls),
    name: 'GitHub Actions',
    description: 'Automate your workflow from idea to production',
    external_url: 'https://help.github.com/en/actions',
    html_url: `${urls.html}/apps/github-actions`,
    created_at: '2018-07-30T09:30:17Z',
    updated_at: '2019-12-10T19:04:12Z',
    permissions: { actions: 'write', deployments: 'write', metadata: 'read' },
    events: ['deployment', 'workflow_run'],
  };
}
