import type { Owner } from '../world/owner.ts';
import { account } from './account.ts';
import type { Urls } from './urls.ts';

/** GitHub's `installation`: the App on one owner. */
export function installation(owner: Owner, installationId: number, appId: number, urls: Urls) {
  const where = owner.type === 'Organization' ? `organizations/${owner.login}/settings` : 'settings';
  return {
    id: installationId,
    account: account(owner, urls),
    repository_selection: 'all',
    access_tokens_url: `${urls.api}/app/installations/${installationId}/access_tokens`,
    repositories_url: `${urls.api}/installation/repositories`,
    html_url: `${urls.html}/${where}/installations/${installationId}`,
    app_id: appId,
    app_slug: 'backlog',
    target_id: owner.id,
    target_type: owner.type,
    permissions: owner.permissions,
    events: ['workflow_job', 'workflow_run'],
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: null,
  };
}
