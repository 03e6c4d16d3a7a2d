import { z } from 'zod';
import type { Logger } from '../../../telemetry/log.ts';
import type { Ask, Client } from './client.ts';
import { Etags } from './etags.ts';
import { pagesOf } from './pages.ts';
import { listOf } from './readable.ts';
import { type RepositoryShape, repositoryShape } from './shapes.ts';

/** 100,000 repositories. */
const maxPages = 1_000;

export type Scope = 'org' | 'repo' | 'ent';

/** What an owner has. */
export class Repositories {
  private readonly client: Client;
  private readonly list: z.ZodType<RepositoryShape[]>;
  private readonly etags = new Etags<RepositoryShape[]>();

  constructor(client: Client, log: Logger) {
    this.client = client;
    const members = listOf(repositoryShape, 'a repository', log);
    this.list = z.union([
      members,
      z.object({ repositories: members }).transform(({ repositories }) => repositories),
    ]);
  }

  /** Those that can run jobs. GitHub has no list of an enterprise's. */
  async of(owner: string, scope: Scope, signal: AbortSignal): Promise<readonly string[]> {
    if (scope === 'ent') return [];
    const names = new Set<string>();
    const prefix = `${owner.toLowerCase()}/`;
    for (const path of this.paths(owner, scope)) {
      for await (const { value } of pagesOf(this.client, this.ask(owner, path), signal, maxPages)) {
        for (const { full_name: fullName, archived, disabled } of value) {
          const name = fullName.toLowerCase();
          if (name.startsWith(prefix) && archived !== true && disabled !== true) names.add(name);
        }
      }
    }
    return [...names];
  }

  private paths(owner: string, scope: 'org' | 'repo'): string[] {
    if (this.client.auth.app !== undefined) return ['/installation/repositories?per_page=100'];
    const name = encodeURIComponent(owner);
    if (scope === 'org') return [`/orgs/${name}/repos?per_page=100`];
    // The first shows public ones alone; the second, private ones too, but only of the bearer of the token.
    return [`/users/${name}/repos?per_page=100`, '/user/repos?affiliation=owner&per_page=100'];
  }

  private ask(owner: string, pathAndQuery: string): Ask<RepositoryShape[]> {
    const [path = '', query] = pathAndQuery.split('?');
    return {
      operation: 'repositories',
      as: { owner },
      path,
      query,
      schema: this.list,
      about: {
        what: `the repositories of ${owner}`,
        permission: 'Metadata: read',
        missing: "check the connection's `owner` and `scope`",
      },
      etags: this.etags,
    };
  }
}
