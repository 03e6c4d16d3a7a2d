import { describe, expect, it } from 'vitest';
import { appGitHub } from './app-github.ts';
import { appPem, failure, never, setup } from './setup.ts';

const repos = [
  { id: 1, full_name: 'Acme/Shop', archived: false, disabled: false },
  { id: 2, full_name: 'acme/old', archived: true },
  { id: 3, full_name: 'acme/off', disabled: true },
  { id: 4, full_name: 'other/thing' },
  { full_name: 'no slash' },
  null,
];

describe('the repositories of an owner', () => {
  it('of an organisation are listed by a token, in pages, lower case, without archived and disabled ones', async () => {
    const { api, github } = await setup(({ query }) =>
      query.get('page') === '2'
        ? { body: [{ id: 5, full_name: 'acme/web' }] }
        : { headers: { link: '<http://x/?per_page=100&page=2>; rel="next"' }, body: repos },
    );
    expect(await api.repositories(never)).toEqual({
      repos: [
        { id: 1, name: 'acme/shop' },
        { id: 5, name: 'acme/web' },
      ],
      visible: 4,
    });
    expect(github.asked).toEqual([
      'GET /orgs/acme/repos?per_page=100',
      'GET /orgs/acme/repos?per_page=100&page=2',
    ]);
  });

  it('of a user are public ones and, with their own token, private ones', async () => {
    const { api } = await setup(
      ({ path }) => ({
        body: path === '/user/repos' ? [{ id: 6, full_name: 'acme/private' }, ...repos] : repos,
      }),
      { scope: 'repo' },
    );
    const { repos: found } = await api.repositories(never);
    expect(found.map(({ name }) => name)).toEqual(['acme/shop', 'acme/private']);
  });

  it.each(['org', 'repo'] as const)('are those of the App’s installation (%s)', async (scope) => {
    const app = appGitHub(({ path }) => ({
      status: path === '/installation/repositories' ? 200 : 500,
      body: { total_count: 2, repositories: repos },
    }));
    const auth = { kind: 'app', id: 5, privateKey: appPem, installationId: 11 } as const;
    const { api } = await setup((seen) => app.script(seen), { scope, auth });
    expect((await api.repositories(never)).repos).toEqual([{ id: 1, name: 'acme/shop' }]);
  });

  it('of an enterprise have no list', async () => {
    const { api, github } = await setup(() => ({}), { scope: 'ent' });
    expect(await api.repositories(never)).toEqual({ repos: [], visible: 0 });
    expect(github.seen).toEqual([]);
  });

  it('of an unknown owner are not found, with what to check', async () => {
    const { api } = await setup(() => ({ status: 404, body: { message: 'Not Found' } }));
    const error = await failure(api.repositories(never));
    expect(error.code).toBe('not_found');
    expect(error.message).toContain('`owner` and `scope`');
  });
});
