import type { Owner } from '../world/owner.ts';
import type { Urls } from './urls.ts';

type Account = Pick<Owner, 'id' | 'login' | 'type'>;

/** The user behind every action here. */
export const sender: Account = { id: 583_231, login: 'octocat', type: 'User' };

/** GitHub's `simple-user`, also used for organizations. */
export function account({ id, login, type }: Account, { api, html }: Urls) {
  const user = `${api}/users/${login}`;
  return {
    login,
    id,
    node_id: `U_${id}`,
    avatar_url: `${html}/avatars/u/${id}?v=4`,
    gravatar_id: '',
    url: user,
    html_url: `${html}/${login}`,
    followers_url: `${user}/followers`,
    following_url: `${user}/following{/other_user}`,
    gists_url: `${user}/gists{/gist_id}`,
    starred_url: `${user}/starred{/owner}{/repo}`,
    subscriptions_url: `${user}/subscriptions`,
    organizations_url: `${user}/orgs`,
    repos_url: `${user}/repos`,
    events_url: `${user}/events{/privacy}`,
    received_events_url: `${user}/received_events`,
    type,
    site_admin: false,
  };
}

/** The `organization` of a webhook. */
export function organization({ id, login }: Account, { api, html }: Urls) {
  const org = `${api}/orgs/${login}`;
  return {
    login,
    id,
    node_id: `O_${id}`,
    url: org,
    repos_url: `${org}/repos`,
    events_url: `${org}/events`,
    hooks_url: `${org}/hooks`,
    issues_url: `${org}/issues`,
    members_url: `${org}/members{/member}`,
    public_members_url: `${org}/public_members{/member}`,
    avatar_url: `${html}/avatars/u/${id}?v=4`,
    description: '',
  };
}

/** The `enterprise` of a webhook. */
export function enterprise(slug: string, { html }: Urls) {
  return {
    id: 1_400,
    slug,
    name: slug,
    node_id: 'E_1400',
    avatar_url: `${html}/avatars/b/1400?v=4`,
    description: '',
    website_url: '',
    html_url: `${html}/enterprises/${slug}`,
    created_at: '2020-01-01T00:00:00Z',
    updated_at: '2020-01-01T00:00:00Z',
  };
}
