import type { Job } from '../world/job.ts';
import { account, sender } from './account.ts';
import { commitOf } from './commit.ts';
import { timestamp, type Urls } from './urls.ts';

/** The deployment that a job behind an environment's gate waits to make. */
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
    performed_via_github_app: null,
  };
}
