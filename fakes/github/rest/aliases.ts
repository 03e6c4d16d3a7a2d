import type { World } from '../world/world.ts';
import { type Answer, refusal } from './answer.ts';
import { type Caller, maySee } from './caller.ts';
import type { Backend } from './request.ts';

/**
 * The path as the API description spells it. GitHub's `Link` headers use paths with IDs in place of names:
 * `/repositories/{id}/…`, `/organizations/{id}/repos`, `/user/{id}/repos`.
 */
export function byName(path: string, world: World): string {
  const [, kind, id, rest = ''] = /^\/(repositories|organizations|user)\/(\d+)(\/.*)?$/.exec(path) ?? [];
  if (kind === undefined) return path;
  if (kind === 'repositories') {
    for (const repo of world.repos.values())
      if (repo.id === Number(id)) return `/repos/${repo.fullName}${rest}`;
    return path;
  }
  for (const owner of world.owners.values())
    if (owner.id === Number(id))
      return `/${kind === 'organizations' ? 'orgs' : 'users'}/${owner.login}${rest}`;
  return path;
}

/** The redirect to a repository that had this name before. Undefined if none had. */
export function movedTo(
  path: string,
  { search }: URL,
  { world, urls }: Backend,
  caller: Caller,
): Answer | undefined {
  const [, name = '', rest = ''] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(path) ?? [];
  const repo = world.moved.get(name.toLowerCase());
  if (repo === undefined || !maySee(caller, repo)) return undefined;
  const location = `${urls.api}/repositories/${repo.id}${rest}${search}`;
  return refusal(301, 'Moved Permanently', { location });
}
