import type { Repo } from '../world/owner.ts';
import type { Urls } from './urls.ts';

/** The only workflow of every repository here. */
export const workflow = { id: 5_400_001, name: 'CI', path: '.github/workflows/ci.yml' };

export function workflowShape(repo: Repo, urls: Urls) {
  return {
    id: workflow.id,
    node_id: `W_${workflow.id}`,
    name: workflow.name,
    path: workflow.path,
    state: 'active',
    created_at: '2021-12-15T20:11:38.000Z',
    updated_at: '2021-12-16T18:40:41.000Z',
    url: `${urls.api}/repos/${repo.fullName}/actions/workflows/${workflow.id}`,
    html_url: `${urls.html}/${repo.fullName}/blob/main/${workflow.path}`,
    badge_url: `${urls.html}/${repo.fullName}/workflows/${workflow.name}/badge.svg`,
  };
}
