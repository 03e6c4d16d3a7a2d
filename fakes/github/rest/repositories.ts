import { fullRepository, repository } from '../shapes/repository.ts';
import type { Owner, Repo } from '../world/owner.ts';
import { type Answer, notFound, ok } from './answer.ts';
import { maySee } from './caller.ts';
import { paged } from './paging.ts';
import type { RestRequest, Route } from './request.ts';

export const repositoryRoutes: readonly Route[] = [
  { method: 'GET', template: '/repos/{owner}/{repo}', by: 'anybody', answer: one },
  { method: 'GET', template: '/orgs/{org}/repos', by: 'anybody', answer: ofOrganization },
  { method: 'GET', template: '/users/{username}/repos', by: 'anybody', answer: ofUser },
  { method: 'GET', template: '/user/repos', by: 'token', answer: mine },
  { method: 'GET', template: '/installation/repositories', by: 'installation', answer: ofInstallation },
];

function one(request: RestRequest): Answer {
  const repo = repoOf(request);
  return repo === undefined ? notFound : ok(fullRepository(repo, request.urls));
}

function ofOrganization(request: RestRequest): Answer {
  const owner = request.world.ownerOf(request.params['org'] ?? '');
  if (owner?.type !== 'Organization') return notFound;
  const repos = request.world.reposOf(owner).filter((repo) => !repo.private || maySee(request.caller, repo));
  return listed(repos, request, `/organizations/${owner.id}/repos`);
}

/** Only public ones, for any caller. */
function ofUser(request: RestRequest): Answer {
  const owner = request.world.ownerOf(request.params['username'] ?? '');
  if (owner === undefined) return notFound;
  const repos = request.world.reposOf(owner).filter((repo) => !repo.private);
  return listed(repos, request, `/user/${owner.id}/repos`);
}

function mine(request: RestRequest): Answer {
  return listed([...request.world.repos.values()], request, '/user/repos');
}

function ofInstallation(request: RestRequest): Answer {
  const owner = request.caller.owner;
  if (owner === undefined) return notFound;
  const repos = request.world.reposOf(owner);
  const { items, headers } = paged(repos, linkUrl(request, '/installation/repositories'));
  const repositories = items.map((repo) => repository(repo, request.urls));
  return ok({ total_count: repos.length, repository_selection: 'all', repositories }, headers);
}

function listed(repos: readonly Repo[], request: RestRequest, path: string): Answer {
  const { items, headers } = paged(repos, linkUrl(request, path));
  return ok(
    items.map((repo) => repository(repo, request.urls)),
    headers,
  );
}

/** The address in a `Link` header. GitHub names owners and repositories by ID there. */
export function linkUrl({ url, urls }: RestRequest, path: string): URL {
  return new URL(`${urls.api}${path}${url.search}`);
}

/** The repository of the path. Undefined if the caller may see none. */
export function repoOf({ world, params, caller }: RestRequest): Repo | undefined {
  const repo = world.repos.get(`${params['owner']}/${params['repo']}`.toLowerCase());
  return repo !== undefined && maySee(caller, repo) ? repo : undefined;
}

export function mayReadActions({ caller }: RestRequest, owner: Owner): boolean {
  return caller.kind === 'token' || owner.permissions.actions !== undefined;
}
