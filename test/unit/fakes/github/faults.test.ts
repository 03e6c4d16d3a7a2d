import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeGitHub } from '../../../../fakes/github/fake-github.ts';

let github: FakeGitHub;
let nowMs: number;

beforeEach(async () => {
  nowMs = Date.parse('2026-03-01T00:00:00Z');
  github = await FakeGitHub.start({ owner: 'acme', token: 'pat', now: () => nowMs });
  github.addRepo('shop');
});

afterEach(() => github.close());

function ask(path = '/repos/acme/shop/actions/runs'): Promise<Response> {
  return fetch(github.url + path, { headers: { authorization: 'Bearer pat' } });
}

async function ids(path: string): Promise<number[]> {
  const body = (await (await ask(path)).json()) as { workflow_runs: { id: number }[] };
  return body.workflow_runs.map(({ id }) => id);
}

describe('a fault of REST', () => {
  it('is 503 to everything while GitHub is down', async () => {
    github.faults.down = true;
    expect((await ask()).status).toBe(503);
    github.faults.clear();
    expect((await ask()).status).toBe(200);
  });

  it('is no answer at all', async () => {
    github.faults.hang = true;
    const abort = new AbortController();
    const gone = expect(fetch(github.url, { signal: abort.signal })).rejects.toThrow();
    await vi.waitFor(() => expect(github.requests).toMatchObject([{ status: 0 }]));
    abort.abort();
    await gone;
  });

  it('is a connection that is reset', async () => {
    github.faults.reset = true;
    await expect(ask()).rejects.toThrow();
  });

  it('is an answer that is not JSON', async () => {
    github.faults.garbage = true;
    const response = await ask();
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow();
  });

  it('is a status for one path', async () => {
    github.faults.status('/actions/runs$', 500, 1);
    expect((await ask('/repos/acme/shop/actions/runs?status=queued')).status).toBe(200);
    expect((await ask()).status).toBe(500);
    expect((await ask()).status).toBe(200);
  });
});

describe('the primary limit', () => {
  it('is refused in the words of GitHub, with when it ends, until then', async () => {
    github.faults.rateLimit({ limit: 5000, remaining: 1, resetSeconds: 600 });
    expect((await ask()).headers.get('x-ratelimit-remaining')).toBe('0');
    const refused = await ask();
    expect(refused.status).toBe(403);
    expect(refused.headers.get('x-ratelimit-reset')).toBe(String(nowMs / 1000 + 600));
    expect(await refused.json()).toMatchObject({
      message: expect.stringContaining('API rate limit exceeded for user ID'),
    });
    nowMs += 601_000;
    expect((await ask()).status).toBe(200);
  });

  it('is shown at no cost', async () => {
    await ask();
    await ask('/rate_limit');
    expect(await (await ask('/rate_limit')).json()).toMatchObject({
      resources: { core: { limit: 5000, remaining: 4999, used: 1 } },
    });
  });

  it('is off on an Enterprise Server, which has a prefix', async () => {
    const server = await FakeGitHub.start({ owner: 'acme', token: 'pat', prefix: '/api/v3' });
    const headers = { authorization: 'token pat' };
    const answer = await fetch(`${server.url}/orgs/acme/repos`, { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.has('x-ratelimit-limit')).toBe(false);
    expect(server.requests).toMatchObject([{ path: '/orgs/acme/repos' }]);
    expect((await fetch(`${server.url}/rate_limit`, { headers })).status).toBe(404);
    await server.close();
  });
});

describe('the secondary limit', () => {
  it('is refused so many times, with a wait or without', async () => {
    github.faults.secondary({ retryAfterSeconds: 7, times: 1 });
    const refused = await ask();
    expect(refused.status).toBe(403);
    expect(refused.headers.get('retry-after')).toBe('7');
    expect(refused.headers.get('x-ratelimit-remaining')).not.toBe('0');
    expect(await refused.json()).toMatchObject({ message: expect.stringContaining('secondary rate limit') });
    github.faults.secondary({ times: 1 });
    expect((await ask()).headers.has('retry-after')).toBe(false);
    expect((await ask()).status).toBe(200);
  });
});

describe('REST and the state of things', () => {
  it('shows a change later than it happens, if it lags', async () => {
    const total = async (status: string): Promise<number> =>
      (await ids(`/repos/acme/shop/actions/runs?status=${status}`)).length;
    github.faults.lagMs = 5000;
    const run = github.startRun('shop', { jobs: [{ labels: ['gpu'] }] });
    const id = run.jobs[0]?.id ?? 0;
    expect((await ask(`/repos/acme/shop/actions/jobs/${id}`)).status).toBe(404);
    expect(await total('queued')).toBe(0);
    nowMs += 5001;
    expect(await total('queued')).toBe(1);
    github.complete(id);
    expect([await total('queued'), await total('completed')]).toEqual([1, 0]);
    nowMs += 5001;
    expect([await total('queued'), await total('completed')]).toEqual([0, 1]);
    expect(await (await ask(`/repos/acme/shop/actions/jobs/${id}`)).json()).toMatchObject({
      status: 'completed',
    });
  });

  it('moves runs up by one between two pages, if it drifts', async () => {
    for (let i = 0; i < 5; i++) github.seedRun('shop', { jobs: [{ labels: ['gpu'] }] });
    github.faults.drift = 1;
    const list = '/repos/acme/shop/actions/runs?status=queued&per_page=2';
    const first = await ids(list);
    const second = await ids(`${list}&page=2`);
    const third = await ids(`${list}&page=3`);
    expect([first.length, second.length, third.length]).toEqual([2, 2, 0]);
    expect(new Set([...first, ...second]).size).toBe(4);
    expect(github.openJobs('shop')).toHaveLength(4);
  });

  it('holds a ghost for ever', async () => {
    const ghost = github.ghostRun('shop');
    expect(await ids('/repos/acme/shop/actions/runs?status=queued')).toEqual([ghost.id]);
    expect(github.openJobs()).toEqual([]);
  });
});
