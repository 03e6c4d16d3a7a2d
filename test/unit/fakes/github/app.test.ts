import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGitHub } from '../../../../fakes/github/fake-github.ts';
import { silent } from '../../../support/github/silent.ts';

let skewMs = 0;
let app: FakeGitHub;

describe('an App', () => {
  beforeEach(async () => {
    skewMs = 0;
    app = await FakeGitHub.start({
      owner: 'acme',
      app: { id: 42, installationId: 7 },
      now: () => Date.now() + skewMs,
    });
    app.addRepo('shop', { private: true });
  });

  afterEach(() => app.close());

  function asApp(installationId?: number): Octokit {
    const auth = {
      appId: 42,
      privateKey: app.app?.privateKey ?? '',
      ...(installationId === undefined ? {} : { installationId }),
    };
    return new Octokit({ authStrategy: createAppAuth, auth, baseUrl: app.url, log: silent });
  }

  it('finds its installation and lists the repositories of it', async () => {
    const { data } = await asApp().apps.getOrgInstallation({ org: 'acme' });
    const repos = await asApp(data.id).apps.listReposAccessibleToInstallation();
    expect(repos.data.repositories.map(({ full_name }) => full_name)).toEqual(['acme/shop']);
  });

  it.each([-180_000, 1_200_000])('is let in by auth-app with a clock that is %s ms off', async (ms) => {
    skewMs = ms;
    const { data } = await asApp(7).apps.listReposAccessibleToInstallation();
    expect(data.total_count).toBe(1);
    expect(app.requests.map(({ status }) => status)).toEqual([401, 201, 200]);
  });

  it('sees another owner only through the installation there', async () => {
    app.addOwner('globex', { installationId: 8 });
    app.addRepo('globex/mill');
    const there = { owner: 'globex', repo: 'mill' };
    await expect(asApp(7).actions.listWorkflowRunsForRepo(there)).rejects.toMatchObject({ status: 404 });
    expect((await asApp(8).actions.listWorkflowRunsForRepo(there)).status).toBe(200);
  });

  it('is refused without the permission to read Actions', async () => {
    app.grant({ metadata: 'read' });
    await expect(
      asApp(7).actions.listWorkflowRunsForRepo({ owner: 'acme', repo: 'shop' }),
    ).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by integration'),
    });
  });

  it('holds tokens for an hour', async () => {
    const { data } = await asApp().apps.createInstallationAccessToken({ installation_id: 7 });
    const ask = () =>
      fetch(`${app.url}/installation/repositories`, { headers: { authorization: `token ${data.token}` } });
    expect((await ask()).status).toBe(200);
    skewMs = 3_601_000;
    expect((await ask()).status).toBe(401);
  });

  it('is shown an ETag of its own for each token', async () => {
    const etags: (string | null)[] = [];
    for (let i = 0; i < 2; i++) {
      const { data } = await asApp().apps.createInstallationAccessToken({ installation_id: 7 });
      const headers = { authorization: `token ${data.token}` };
      const response = await fetch(`${app.url}/repos/acme/shop/actions/runs`, { headers });
      etags.push(response.headers.get('etag'));
    }
    expect(etags[0]).not.toBe(etags[1]);
  });

  it('reads the deliveries of its hook and delivers one again', async () => {
    app.hook({ url: 'http://127.0.0.1:1/', secret: 's' });
    app.startRun('shop', { jobs: [{ labels: [] }] });
    await app.delivered();
    const failed = await asApp().request('GET /app/hook/deliveries', { status: 'failure', per_page: 1 });
    expect(failed.data).toMatchObject([{ status_code: 502, event: 'workflow_job', installation_id: 7 }]);
    expect(failed.headers.link).toContain('rel="next"');
    const delivery_id = Number(failed.data[0]?.id);
    const answer = await asApp().apps.redeliverWebhookDelivery({ delivery_id });
    expect(answer.status).toBe(202);
    await app.delivered();
    const all = await asApp().paginate('GET /app/hook/deliveries', { per_page: 2 });
    expect(all.map(({ redelivery }) => redelivery)).toEqual([true, false, false]);
    expect(all[0]?.guid).toBe(failed.data[0]?.guid);
  });
});
