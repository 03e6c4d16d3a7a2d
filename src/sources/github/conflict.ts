import { quote } from '../../params/printable.ts';
import type { GitHubConfig } from './config.ts';
import type { GitHubParams } from './params.ts';
import { isOf, namesOwner } from './repo-names.ts';

/** A trigger names repositories of its connection's owner: our credentials read nothing else for it. */
export function conflict({ repos }: GitHubParams, { owner, scope }: GitHubConfig): string | undefined {
  if (scope === 'ent') {
    const short = repos.find((repo) => !namesOwner(repo));
    return short === undefined
      ? undefined
      : `repos: must be owner/name on the connection of an enterprise, got ${quote(short)}`;
  }
  const foreign = repos.find((repo) => namesOwner(repo) && !isOf(owner, repo));
  return foreign === undefined
    ? undefined
    : `repos: ${quote(foreign)} does not belong to ${owner}; name the connection of its owner`;
}
