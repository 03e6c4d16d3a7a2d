import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGitHub } from '../../../fakes/github/fake-github.ts';
import { type Oracle, withOracle } from '../../support/github/openapi-oracle.ts';
import { slice } from '../../support/github/openapi-slice.ts';
import { silent } from '../../support/github/silent.ts';

const repo = { owner: 'acme', repo: 'shop' };
let github: FakeGitHub;
let oracle: Oracle;

beforeEach(async () => {
  github = await FakeGitHub.start({ owner: 'acme', token: 'pat', app: { id: 42, installationId: 7 } });
  github.addRepo('shop');
  oracle = withOracle(github);
});

afterEach(() => github.close());

function withToken(): Octokit {
  return new Octokit({ auth: 'pat', baseUrl: github.url, log: silent });
}

function asApp(installationId?: number): Octokit {
  const auth = {
    appId: 42,
    privateKey: github.app?.privateKey ?? '',
    ...(installationId === undefined ? {} : { installationId }),
  };
  return new Octokit({ authStrategy: createAppAuth, auth, baseUrl: github.url, log: silent });
}

/** One run in each possible state. */
function everyState(): number {
  github.hook({ url: 'http://127.0.0.1:1/', secret: 's' });
  const gpu = { labels: ['self-hosted', 'gpu'] };
  const run = github.startRun('shop', { jobs: [gpu, gpu, { ...gpu, environment: true }] });
  const [first, second] = run.jobs;
  github.pick(first?.id ?? 0, 'runner-1');
  github.complete(first?.id ?? 0);
  github.skip(second?.id ?? 0);
  github.cancelRun(run.id);
  github.rerunFailed(run.id);
  github.startRun('shop', { jobs: [gpu], status: 'pending' });
  const picked = github.startRun('shop', { jobs: [gpu] });
  github.pick(picked.jobs[0]?.id ?? 0, 'runner-2');
  github.ghostRun('shop');
  return run.id;
}

describe('this GitHub, by the description that GitHub publishes', () => {
  it('answers every operation as described', async () => {
    const run_id = everyState();
    await github.delivered();
    const octokit = withToken();
    for (const status of ['queued', 'in_progress', 'waiting', 'pending', 'requested', 'completed'] as const)
      await octokit.actions.listWorkflowRunsForRepo({ ...repo, status });
    const runs = await octokit.paginate('GET /repos/{owner}/{repo}/actions/runs', { ...repo, per_page: 1 });
    expect(runs).toHaveLength(4);
    await octokit.actions.getWorkflowRun({ ...repo, run_id });
    const jobs = await octokit.paginate('GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs', {
      ...repo,
      run_id,
      filter: 'all',
      per_page: 2,
    });
    expect(jobs).toHaveLength(6);
    for (const { id } of jobs) await octokit.actions.getJobForWorkflowRun({ ...repo, job_id: id });
    await octokit.repos.get(repo);
    await octokit.repos.listForOrg({ org: 'acme', type: 'all' });
    await octokit.repos.listForUser({ username: 'acme' });
    await octokit.repos.listForAuthenticatedUser({ affiliation: 'owner' });
    await octokit.rateLimit.get();
    await asApp(7).apps.listReposAccessibleToInstallation();
    await asApp().apps.getInstallation({ installation_id: 7 });
    await asApp().apps.getOrgInstallation({ org: 'acme' });
    await asApp().apps.getUserInstallation({ username: 'acme' });
    const deliveries = await asApp().paginate('GET /app/hook/deliveries', { per_page: 2 });
    await asApp().request('GET /app/hook/deliveries', { status: 'failure' });
    expect(deliveries.length).toBeGreaterThan(2);
    const delivery_id = Number(deliveries[0]?.id);
    await asApp().apps.redeliverWebhookDelivery({ delivery_id });
    expect(oracle.violations).toEqual([]);
    expect([...oracle.seen].sort()).toEqual(Object.keys(slice.operations).sort());
  });

  it('refuses as described', async () => {
    const ask = (path: string, token = 'pat'): Promise<number> =>
      fetch(github.url + path, { headers: { authorization: `token ${token}` } }).then(({ status }) => status);
    const runs = '/repos/acme/shop/actions/runs';
    expect(await ask(runs, 'wrong')).toBe(401);
    expect(await ask('/repos/acme/gone/actions/runs')).toBe(404);
    expect(await ask('/installation/repositories')).toBe(403);
    github.faults.secondary({ times: 1 });
    expect(await ask(runs)).toBe(403);
    github.faults.rateLimit({ limit: 60, remaining: 0, resetSeconds: 60 });
    expect(await ask(runs)).toBe(403);
    github.faults.down = true;
    expect(await ask(runs)).toBe(503);
    expect(oracle.violations).toEqual([]);
  });

  it('is checked behind a prefix too', async () => {
    const server = await FakeGitHub.start({ owner: 'acme', token: 'pat', prefix: '/api/v3' });
    const judge = withOracle(server);
    for (let i = 0; i < 3; i++) server.addRepo(`shop-${i}`);
    const octokit = new Octokit({ auth: 'pat', baseUrl: server.url, log: silent });
    const repos = await octokit.paginate('GET /orgs/{org}/repos', { org: 'acme', per_page: 2 });
    await server.close();
    expect(repos).toHaveLength(3);
    expect(judge.violations).toEqual([]);
    expect(judge.seen).toEqual(new Set(['GET /orgs/{org}/repos']));
  });
});

describe('the oracle', () => {
  async function judged(path: string, method = 'GET'): Promise<string[]> {
    await fetch(github.url + path, { method, headers: { authorization: 'token pat' } });
    return oracle.violations;
  }

  it.each([
    ['/repos/acme/shop/actions/runs?status=open', /parameter status \("open"\) must be equal to one of/],
    ['/repos/acme/shop/actions/runs?per_page=500', /parameter per_page \("500"\) is more than 100/],
    ['/repos/acme/shop/actions/runs?page=two', /parameter page \("two"\) must be integer/],
    ['/repos/acme/shop/actions/runs?labels=gpu', /parameter labels \("gpu"\) is unknown/],
    ['/repos/acme/shop/actions/runs/x/jobs', /parameter run_id \("x"\) must be integer/],
    ['/orgs/acme/actions/runs', /not in GitHub's description/],
    ['/repositories/390000001/actions/runs', /not in GitHub's description/],
  ])('notices what is wrong with a request for %s', async (path, violation) => {
    expect(await judged(path)).toEqual([expect.stringMatching(violation)]);
  });

  it('notices a wrong method', async () => {
    expect(await judged('/rate_limit', 'POST')).toEqual([expect.stringContaining('not in')]);
  });

  it('notices an answer that is not JSON', async () => {
    github.faults.garbage = true;
    expect(await judged('/rate_limit')).toEqual([expect.stringContaining('the answer 200 is no JSON')]);
  });

  it('notices a status that GitHub does not use', async () => {
    github.faults.status('rate_limit', 418);
    expect(await judged('/rate_limit')).toEqual([expect.stringContaining('the answer 418 is unknown')]);
  });

  it('notices a job that is not as described', async () => {
    const run = github.seedRun('shop', { jobs: [{ labels: ['gpu'] }] });
    Object.assign(run.jobs[0]?.current ?? {}, { status: 'running', labels: [7] });
    const [violation] = await judged(`/repos/acme/shop/actions/runs/${run.id}/jobs`);
    expect(violation).toContain('/jobs/0/status must be equal to one of');
    expect(violation).toContain('/jobs/0/labels/0 must be string');
  });
});
