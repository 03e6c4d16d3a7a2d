import type { World } from '../world/world.ts';

/**
 * The path as the description spells it. GitHub's `Link` headers lead to paths with ids in place of names:
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
