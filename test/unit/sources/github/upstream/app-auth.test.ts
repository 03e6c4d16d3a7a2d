import { describe, expect, it } from 'vitest';
import type { GitHubApiOptions } from '../../../../../src/sources/github/upstream/github.ts';
import { type AppGitHub, appGitHub } from './app-github.ts';
import type { Script } from './scripted-github.ts';
import { appPem, failure, never, type Setup, setup } from './setup.ts';

const noRuns: Script = () => ({ body: { total_count: 0, workflow_runs: [] } });

async function setupApp(
  state: AppGitHub,
  { installationId, ...options }: Partial<GitHubApiOptions> & { installationId?: number } = {},
): Promise<Setup> {
  return setup((seen) => state.script(seen), {
    auth: { kind: 'app', id: 5, privateKey: appPem, installationId },
    ...options,
  });
}

function paths({ github }: Setup): string[] {
  return github.asked.filter((asked) => !asked.includes('/actions/'));
}

const lookUp = 'GET /orgs/acme/installation';
const whose = 'GET /app/installations/11';
const takeToken = 'POST /app/installations/11/access_tokens';

describe('an App', () => {
  it('finds its installation, requests one token, and keeps both', async () => {
    const app = await setupApp(appGitHub(noRuns));
    for (const repo of ['acme/shop', 'acme/web', 'ACME/shop']) await app.api.openRuns(repo, never);
    expect(paths(app)).toEqual([lookUp, takeToken]);
    expect(app.counted).toEqual(['installation ok', 'token ok', 'runs ok', 'runs ok', 'runs ok']);
  });

  it('can be installed on a user', async () => {
    const app = await setupApp(appGitHub(noRuns, { users: new Set(['acme']) }));
    await app.api.openRuns('acme/shop', never);
    expect(paths(app)).toEqual([lookUp, 'GET /users/acme/installation', takeToken]);
  });

  it('asks for the owner of a configured installation', async () => {
    const app = await setupApp(appGitHub(noRuns), { installationId: 11 });
    await app.api.openRuns('acme/shop', never);
    expect(paths(app)).toEqual([whose, takeToken]);
  });

  it('with another owner’s installation says which settings contradict each other', async () => {
    const installations = new Map([['labs', 11]]);
    const state = appGitHub(noRuns, { installations });
    const app = await setupApp(state, { installationId: 11 });
    for (const asked of [app.api.repositories(never), app.api.openRuns('acme/shop', never)]) {
      const error = await failure(asked);
      expect(error.code).toBe('unavailable');
      expect(error.message).toMatch(/`app.installationId` 11 is .* on labs, not on .*`owner` acme/);
    }
    app.api.learnInstallation('acme', 12);
    await failure(app.api.openRuns('acme/shop', never));
    expect(paths(app), 'asked once a minute').toEqual([whose]);
    app.clock.nowMs += 61_000;
    state.installations.set('acme', 11).delete('labs');
    await app.api.openRuns('acme/shop', never);
    expect(paths(app)).toEqual([whose, whose, takeToken]);
  });

  it('reports a renamed owner when its token ends', async () => {
    const state = appGitHub(noRuns);
    const app = await setupApp(state, { installationId: 11 });
    await app.api.openRuns('acme/shop', never);
    state.installations = new Map([['acme-inc', 11]]);
    app.clock.nowMs += 3_600_000;
    expect((await failure(app.api.openRuns('acme/shop', never))).message).toContain('on acme-inc, not on');
  });

  it('can be known by its client ID', async () => {
    let issuer: unknown;
    const state = appGitHub(noRuns);
    const script: Script = (seen) => {
      const [, claims] = (seen.headers.authorization ?? '').split('.');
      if (claims !== undefined) issuer = JSON.parse(Buffer.from(claims, 'base64url').toString()).iss;
      return state.script(seen);
    };
    const auth = { kind: 'app', id: 'Iv23liExample', privateKey: appPem } as const;
    const app = await setup(script, { auth });
    await app.api.openRuns('acme/shop', never);
    expect(issuer).toBe('Iv23liExample');
  });

  it('does not look up an installation that a webhook has named', async () => {
    const app = await setupApp(appGitHub(noRuns));
    app.api.learnInstallation('Acme', 11);
    await app.api.openRuns('acme/shop', never);
    expect(paths(app)).toEqual([takeToken]);
  });

  it('has an installation for each owner of an enterprise', async () => {
    const state = appGitHub(noRuns, {
      installations: new Map([
        ['one', 21],
        ['two', 22],
      ]),
    });
    const app = await setupApp(state, { scope: 'ent', owner: 'big', installationId: 99 });
    await app.api.openRuns('one/shop', never);
    await app.api.openRuns('two/shop', never);
    expect(
      app.github.seen.map(({ headers }) => headers.authorization).filter((text) => text?.includes('ghs_')),
    ).toEqual(['token ghs_21n1', 'token ghs_22n2']);
  });

  it('gets the next token before the last one ends', async () => {
    const state = appGitHub(noRuns);
    const app = await setupApp(state, { installationId: 11 });
    await app.api.openRuns('acme/shop', never);
    app.clock.nowMs += 57 * 60_000;
    await app.api.openRuns('acme/shop', never);
    expect(state.issued).toBe(1);
    app.clock.nowMs += 2 * 60_000;
    await app.api.openRuns('acme/shop', never);
    expect(state.issued).toBe(2);
  });

  it('gets a new token if the old one was revoked, and repeats the request at once', async () => {
    const state = appGitHub(noRuns);
    const app = await setupApp(state, { installationId: 11 });
    await app.api.openRuns('acme/shop', never);
    state.revoked.add('ghs_11n1');
    app.clock.nowMs += 60_000;
    await app.api.openRuns('acme/shop', never);
    expect(app.counted).toEqual([
      ...['installation ok', 'token ok', 'runs ok', 'runs error'],
      ...['installation ok', 'token ok', 'runs ok'],
    ]);
  });

  it('does not loop if new tokens are refused too', async () => {
    const state = appGitHub(() => ({ status: 401, body: { message: 'Bad credentials' } }));
    const app = await setupApp(state, { installationId: 11 });
    expect((await failure(app.api.openRuns('acme/shop', never))).code).toBe('unavailable');
    expect(app.counted).toEqual(['installation ok', 'token ok', 'runs error']);
  });

  it('that is not installed does not mean that no jobs exist', async () => {
    const app = await setupApp(appGitHub(noRuns, { installations: new Map() }));
    const error = await failure(app.api.jobsOf({ repo: 'acme/shop', runId: 1 }, never));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('not installed on acme');
    await failure(app.api.openRuns('acme/shop', never));
    expect(app.counted, 'asked once a minute').toHaveLength(2);
    app.clock.nowMs += 61_000;
    await failure(app.api.openRuns('acme/shop', never));
    expect(app.counted).toHaveLength(4);
    app.api.learnInstallation('acme', 11);
    expect((await failure(app.api.openRuns('acme/shop', never))).message).toContain('not installed');
  });

  it('that was installed again is looked up again', async () => {
    const state = appGitHub(noRuns, { installations: new Map([['acme', 12]]) });
    const app = await setupApp(state);
    app.api.learnInstallation('acme', 11);
    expect((await failure(app.api.openRuns('acme/shop', never))).message).toContain('install it there');
    await app.api.openRuns('acme/shop', never);
    expect(paths(app).at(-1)).toBe('POST /app/installations/12/access_tokens');
  });

  it('says which setting is wrong if the configured installation does not exist', async () => {
    const app = await setupApp(appGitHub(noRuns), { installationId: 404 });
    const error = await failure(app.api.openRuns('acme/shop', never));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('app.installationId');
  });

  it('that GitHub does not know is reported as that, and not as not installed', async () => {
    const script: Script = () => ({ status: 404, body: { message: 'Integration not found' } });
    for (const installationId of [undefined, 11]) {
      const app = await setupApp(
        appGitHub(noRuns, { script }),
        installationId === undefined ? {} : { installationId },
      );
      const error = await failure(app.api.openRuns('acme/shop', never));
      expect(error.code).toBe('unavailable');
      expect(error.message).toContain('app.id');
    }
  });

  it('says that its installation is suspended', async () => {
    const tokenReply = { status: 403, body: { message: 'This installation has been suspended' } };
    const app = await setupApp(appGitHub(noRuns, { tokenReply }), { installationId: 11 });
    expect((await failure(app.api.openRuns('acme/shop', never))).message).toContain('unsuspend');
  });

  it.each([
    ['3 minutes ahead', -180_000],
    ['3 minutes behind', 180_000],
    ['15 minutes behind', 900_000],
  ])('logs in even if our clock is %s', async (_, skewMs) => {
    const state = appGitHub(noRuns, { skewMs, now: Date.now });
    const app = await setupApp(state, { now: Date.now });
    await app.api.openRuns('acme/shop', never);
    expect(state.issued).toBe(1);
  });
});
