import { describe, expect, it } from 'vitest';
import { appGitHub } from './app-github.ts';
import type { Reply, Script } from './scripted-github.ts';
import { appPem, failure, never, setup, startMs } from './setup.ts';

const inTenMinutes = String(startMs / 1000 + 600);

/** Two pages of jobs. Like GitHub's, their ETags depend on token and page. */
function tagged(state: { version: number }): Script {
  return ({ path, query, headers }) => {
    const page = query.get('page') ?? '1';
    const etag = `W/"${headers.authorization}-${page}-${state.version}"`;
    const quota = {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '4321',
      'x-ratelimit-reset': inTenMinutes,
    };
    if (headers['if-none-match'] === etag) return { status: 304, headers: { ...quota, etag } };
    const link =
      page === '1' ? { link: `<http://x${path}?filter=latest&per_page=100&page=2>; rel="next"` } : {};
    const id = Number(page) * 10 + state.version;
    const jobs = [{ id, run_id: 7, run_attempt: 1, status: 'queued', labels: [] }];
    return { headers: { ...quota, ...link, etag }, body: { total_count: 2, jobs } };
  };
}

describe('an unchanged answer', () => {
  it('is a 304 that stands for the whole, with its next page', async () => {
    const state = { version: 1 };
    const { api, github, clock, remaining, counted } = await setup(tagged(state));
    const asked = () => api.jobsOf({ repo: 'acme/shop', runId: 7 }, never);
    const first = await asked();
    clock.nowMs += 5_000;
    const second = await asked();
    expect(second.value).toEqual(first.value);
    expect(second.askedAtMs).toBe(first.askedAtMs + 5_000);
    expect(github.seen.slice(2).every(({ headers }) => headers['if-none-match'] !== undefined)).toBe(true);
    expect(counted).toEqual(Array(4).fill('jobs ok'));
    expect(remaining).toEqual(Array(4).fill(4321));
    state.version = 2;
    expect((await asked()).value.map(({ jobId }) => jobId)).toEqual([12, 22]);
  });

  it('is requested as a whole with another token', async () => {
    const app = appGitHub(tagged({ version: 1 }));
    const { api, github, clock } = await setup((seen) => app.script(seen), {
      auth: { kind: 'app', id: 5, privateKey: appPem, installationId: 11 },
    });
    const asked = () => api.jobsOf({ repo: 'acme/shop', runId: 7 }, never);
    await asked();
    clock.nowMs += 3_600_000;
    const value = (await asked()).value;
    expect(value).toHaveLength(2);
    expect(github.seen.every(({ headers }) => headers['if-none-match'] === undefined)).toBe(true);
  });

  it('is an error if the request had no ETag', async () => {
    const { api } = await setup(() => ({ status: 304 }));
    expect((await failure(api.openRuns('acme/shop', never))).message).toContain('answers 304');
  });
});

describe('limits', () => {
  it('set the quota from each answer, its reset by our clock', async () => {
    const { api, clock } = await setup(tagged({ version: 1 }));
    expect(api.quota).toBeUndefined();
    await api.jobsOf({ repo: 'acme/shop', runId: 7 }, never);
    expect(api.quota).toMatchObject({ limit: 5000, remaining: 4321 });
    expect(Math.abs((api.quota?.resetAtMs ?? 0) - clock.nowMs - 600_000)).toBeLessThanOrEqual(500);
  });

  it.each([
    ['retry-after', 403, { 'retry-after': '30' }, 30_000],
    ['a secondary limit', 403, {}, 60_000],
    ['429', 429, {}, 60_000],
  ])('keep us away without a request: %s', async (_, status, headers, pauseMs) => {
    let limited = true;
    const { api, github, clock, log } = await setup(() =>
      limited
        ? { status, headers, body: { message: 'You have exceeded a secondary rate limit.' } }
        : { body: { total_count: 0, workflow_runs: [] } },
    );
    const asked = () => api.openRuns('acme/shop', never);
    expect((await failure(asked())).retryAfterMs).toBe(pauseMs);
    clock.nowMs += pauseMs - 1;
    const error = await failure(asked());
    expect([error.code, error.retryAfterMs]).toEqual(['unavailable', 1]);
    expect(github.seen).toHaveLength(1);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    clock.nowMs += 1;
    limited = false;
    expect((await asked()).value).toEqual([]);
  });

  it('of a last answered request hold the next one back', async () => {
    const headers = {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': inTenMinutes,
    };
    const { api, github } = await setup(() => ({ headers, body: { total_count: 0, workflow_runs: [] } }));
    await api.openRuns('acme/shop', never);
    const error = await failure(api.openRuns('acme/shop', never));
    expect(Math.abs((error.retryAfterMs ?? 0) - 600_000)).toBeLessThanOrEqual(500);
    expect(github.seen).toHaveLength(1);
  });

  it('of an installation do not affect the App’s deliveries or other installations', async () => {
    const app = appGitHub(
      ({ path }) => {
        if (path.startsWith('/app/hook')) return { body: [] };
        if (path.startsWith('/repos/one/')) return { status: 429 };
        return { body: { total_count: 0, workflow_runs: [] } };
      },
      {
        installations: new Map([
          ['one', 21],
          ['two', 22],
        ]),
      },
    );
    const auth = { kind: 'app', id: 5, privateKey: appPem } as const;
    const { api } = await setup((seen) => app.script(seen), { scope: 'ent', auth });
    expect((await failure(api.openRuns('one/shop', never))).retryAfterMs).toBe(60_000);
    expect((await failure(api.openRuns('one/web', never))).retryAfterMs).toBe(60_000);
    expect((await api.openRuns('two/shop', never)).value).toEqual([]);
    expect(await api.failedDeliveries?.(0, never)).toEqual([]);
  });

  it('of an installation outlive its token, and do not affect another token', async () => {
    const headers = { 'retry-after': '1200' };
    let reply: Reply = { body: { total_count: 0, workflow_runs: [] } };
    const app = appGitHub(() => reply);
    const auth = { kind: 'app', id: 5, privateKey: appPem, installationId: 11 } as const;
    const { api, clock } = await setup((seen) => app.script(seen), { auth });
    const asked = () => api.openRuns('acme/shop', never);
    await asked();
    clock.nowMs += 50 * 60_000;
    reply = { status: 403, headers, body: { message: 'API rate limit exceeded' } };
    await failure(asked());
    clock.nowMs += 15 * 60_000;
    expect((await failure(asked())).retryAfterMs).toBe(5 * 60_000);
    expect(app.issued).toBe(1);
  });

  it('of the App’s key do not count in the quota', async () => {
    const headers = {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '77',
      'x-ratelimit-reset': inTenMinutes,
    };
    const app = appGitHub(() => ({ headers, body: [] }));
    const auth = { kind: 'app', id: 5, privateKey: appPem, installationId: 11 } as const;
    const { api, remaining } = await setup((seen) => app.script(seen), { auth });
    await api.failedDeliveries?.(0, never);
    expect(api.quota).toBeUndefined();
    expect(remaining).toEqual([]);
  });

  it('are not mistaken for a missing permission', async () => {
    const { api, github } = await setup(() => ({
      status: 403,
      headers: { 'x-ratelimit-remaining': '4000' },
      body: { message: 'Resource not accessible by integration' },
    }));
    const error = await failure(api.openRuns('acme/shop', never));
    expect(error.retryAfterMs).toBeUndefined();
    expect(error.message).toContain('"Actions: read"');
    await failure(api.openRuns('acme/shop', never));
    expect(github.seen).toHaveLength(2);
  });
});

describe('GitHub’s clock', () => {
  it('is read from its answers', async () => {
    const date = new Date(startMs + 180_000).toUTCString();
    const { api } = await setup(() => ({ headers: { date }, body: { total_count: 0, workflow_runs: [] } }));
    expect(api.clockOffsetMs).toBe(0);
    await api.openRuns('acme/shop', never);
    expect(Math.abs(api.clockOffsetMs - 180_000)).toBeLessThanOrEqual(500);
  });
});
