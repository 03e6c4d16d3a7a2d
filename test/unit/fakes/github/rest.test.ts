import { Octokit } from '@octokit/rest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGitHub } from '../../../../fakes/github/fake-github.ts';
import { silent } from '../../../support/github/silent.ts';

let github: FakeGitHub;
let octokit: Octokit;
const repo = { owner: 'acme', repo: 'shop' };

beforeEach(async () => {
  github = await FakeGitHub.start({ owner: 'acme', token: 'pat' });
  github.addRepo('shop');
  octokit = new Octokit({ auth: 'pat', baseUrl: github.url, log: silent });
});

afterEach(() => github.close());

function seed(count: number, status: 'queued' | 'completed' = 'queued'): void {
  for (let i = 0; i < count; i++) github.seedRun('shop', { jobs: [{ labels: ['gpu'], status }] });
}

describe('the list of runs', () => {
  it('is paged by Link to the end, newest first', async () => {
    seed(250);
    const runs = await octokit.paginate('GET /repos/{owner}/{repo}/actions/runs', { ...repo, per_page: 100 });
    const ids = runs.map(({ id }) => id);
    expect(ids).toHaveLength(250);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => b - a));
    expect(github.requests.map(({ path }) => path.split('?')[0])).toEqual([
      '/repos/acme/shop/actions/runs',
      expect.stringMatching(/^\/repositories\/\d+\/actions\/runs$/),
      expect.stringMatching(/^\/repositories\/\d+\/actions\/runs$/),
    ]);
  });

  it('shows a run by its least advanced job', async () => {
    github.seedRun('shop', {
      jobs: [
        { labels: [], status: 'waiting' },
        { labels: [], status: 'queued' },
      ],
    });
    const total = async (status: 'waiting' | 'queued'): Promise<number> =>
      (await octokit.actions.listWorkflowRunsForRepo({ ...repo, status })).data.total_count;
    expect([await total('waiting'), await total('queued')]).toEqual([1, 0]);
  });

  it('reaches a thousand results when it is filtered, not more', async () => {
    seed(1001, 'completed');
    const filtered = await octokit.paginate('GET /repos/{owner}/{repo}/actions/runs', {
      ...repo,
      per_page: 100,
      status: 'completed',
    });
    expect(filtered).toHaveLength(1000);
    const all = await octokit.paginate('GET /repos/{owner}/{repo}/actions/runs', { ...repo, per_page: 100 });
    expect(all).toHaveLength(1001);
  });

  it('can be filtered by the creation time of runs', async () => {
    github.seedRun('shop', { jobs: [], createdAtMs: Date.parse('2026-01-01T12:00:00Z') });
    github.seedRun('shop', { jobs: [], createdAtMs: Date.parse('2026-01-03T12:00:00Z') });
    const total = async (created: string): Promise<number> =>
      (await octokit.actions.listWorkflowRunsForRepo({ ...repo, created })).data.total_count;
    expect(await total('>=2026-01-02')).toBe(1);
    expect(await total('2026-01-01')).toBe(1);
    expect(await total('2026-01-01..2026-01-03')).toBe(2);
    expect(await total('<2026-01-01')).toBe(0);
  });
});

describe('the jobs of a run', () => {
  it('are of the latest attempt, or of all', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['a'] }, { labels: ['b'] }] });
    for (const job of run.jobs) github.complete(job.id, 'failure');
    github.rerunFailed(run.id);
    const jobs = async (filter: 'latest' | 'all'): Promise<string[]> => {
      const { data } = await octokit.actions.listJobsForWorkflowRun({ ...repo, run_id: run.id, filter });
      return data.jobs.map((job) => `${job.run_attempt} ${job.status}`);
    };
    expect(await jobs('latest')).toEqual(['2 queued', '2 queued']);
    expect(await jobs('all')).toEqual(['1 completed', '1 completed', '2 queued', '2 queued']);
  });

  it('are paged beyond a hundred', async () => {
    const jobs = Array.from({ length: 250 }, () => ({ labels: ['gpu'] }));
    const run = github.seedRun('shop', { jobs });
    const found = await octokit.paginate('GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs', {
      ...repo,
      run_id: run.id,
      per_page: 100,
    });
    expect(new Set(found.map(({ id }) => id)).size).toBe(250);
  });

  it('can be requested one by one', async () => {
    const run = github.startRun('shop', { jobs: [{ labels: ['GPU', 'self-hosted'] }] });
    const job_id = run.jobs[0]?.id ?? 0;
    github.pick(job_id, 'runner-3');
    const { data } = await octokit.actions.getJobForWorkflowRun({ ...repo, job_id });
    expect(data).toMatchObject({
      run_id: run.id,
      status: 'in_progress',
      labels: ['GPU', 'self-hosted'],
      runner_name: 'runner-3',
    });
  });
});

describe('a caller', () => {
  it('is refused with an unknown token, in the words of GitHub', async () => {
    const stranger = new Octokit({ auth: 'wrong', baseUrl: github.url, log: silent });
    await expect(stranger.actions.listWorkflowRunsForRepo(repo)).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining('Bad credentials'),
    });
  });

  it('gets 404 for something that does not exist', async () => {
    await expect(octokit.actions.listWorkflowRunsForRepo({ ...repo, repo: 'gone' })).rejects.toMatchObject({
      status: 404,
    });
    github.removeRepo('shop');
    await expect(octokit.actions.listWorkflowRunsForRepo(repo)).rejects.toMatchObject({ status: 404 });
  });
});

describe('an ETag', () => {
  async function ask(token: string, etag?: string): Promise<Response> {
    const headers = {
      authorization: `token ${token}`,
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
    };
    return await fetch(`${github.url}/repos/acme/shop/actions/runs?status=queued`, { headers });
  }

  it('gets 304, which costs nothing of the primary limit, until something changes', async () => {
    const first = await ask('pat');
    const etag = first.headers.get('etag') ?? '';
    const again = await ask('pat', etag);
    expect(again.status).toBe(304);
    expect(again.headers.get('x-ratelimit-remaining')).toBe(first.headers.get('x-ratelimit-remaining'));
    seed(1);
    expect((await ask('pat', etag)).status).toBe(200);
  });
});
