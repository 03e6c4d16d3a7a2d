import { describe, expect, it } from 'vitest';
import type { Reply, Seen } from './scripted-github.ts';
import { failure, never, setup } from './setup.ts';

const times = {
  created_at: '2027-01-01T00:00:01Z',
  started_at: '2027-01-01T00:00:02Z',
  completed_at: '2027-01-01T00:00:03Z',
};

function job(id: number, more: object = {}): object {
  return { id, run_id: 7, run_attempt: 2, status: 'queued', labels: ['linux'], ...times, ...more };
}

/** A run with this many jobs, in pages. */
function paged(count: number) {
  return ({ path, query }: Seen): Reply => {
    const page = Number(query.get('page') ?? 1);
    const first = (page - 1) * 100;
    const jobs = Array.from({ length: Math.min(100, count - first) }, (_, i) => job(first + i + 1));
    const link = `<http://x${path}?filter=latest&per_page=100&page=${page + 1}>; rel="next"`;
    return { headers: first + 100 < count ? { link } : {}, body: { total_count: count, jobs } };
  };
}

describe('the jobs of a run', () => {
  it('are all read, beyond 100 too (keda#7969)', async () => {
    const { api, github, clock } = await setup(paged(256));
    const { value, askedAtMs } = await api.jobsOf({ repo: 'acme/shop', runId: 7 }, never);
    expect(value.map(({ jobId }) => jobId)).toEqual(Array.from({ length: 256 }, (_, i) => i + 1));
    expect(github.asked[0]).toBe('GET /repos/acme/shop/actions/runs/7/jobs?filter=latest&per_page=100');
    expect(github.asked).toHaveLength(3);
    expect(askedAtMs).toBe(clock.nowMs);
  });

  it.each([
    ['queued', 'queued', 1_000],
    ['waiting', 'waiting', 1_000],
    ['requested', 'waiting', 1_000],
    ['pending', 'waiting', 1_000],
    ['in_progress', 'in_progress', 2_000],
    ['completed', 'completed', 3_000],
  ])('that are %s are %s since then', async (given, status, sinceMs) => {
    const { api } = await setup(() => ({ body: { total_count: 1, jobs: [job(1, { status: given })] } }));
    const { value } = await api.jobsOf({ repo: 'acme/shop', runId: 7 }, never);
    expect(value).toEqual([
      {
        jobId: 1,
        runId: 7,
        runAttempt: 2,
        repo: 'acme/shop',
        labels: ['linux'],
        status,
        sinceMs: Date.UTC(2027, 0, 1) + sinceMs,
        gated: false,
      },
    ]);
  });

  it('are read as they are: odd labels, no attempt, no times', async () => {
    const odd = job(1, {
      labels: [' Linux', null, 'x64', 3, 'LINUX', ''],
      run_attempt: undefined,
      created_at: null,
      future: { field: true },
    });
    const { api } = await setup(() => ({ body: { total_count: 2, jobs: [odd, job(2, { labels: null })] } }));
    const { value } = await api.jobsOf({ repo: 'acme/shop', runId: 7 }, never);
    expect(value[0]).toMatchObject({ labels: ['linux', 'x64'], runAttempt: 1, sinceMs: undefined });
    expect(value[1]?.labels).toEqual([]);
  });

  it('that cannot be read are left out, which is logged once', async () => {
    const jobs = [job(1), job(2, { status: 'dreaming' }), null, { id: 3 }, job(0)];
    const { api, log } = await setup(() => ({ body: { total_count: 5, jobs } }));
    const asked = () => api.jobsOf({ repo: 'acme/shop', runId: 7 }, never);
    expect((await asked()).value.map(({ jobId }) => jobId)).toEqual([1]);
    await asked();
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('that is gone are not found', async () => {
    const { api } = await setup(() => ({ status: 404, body: { message: 'Not Found' } }));
    const error = await failure(api.jobsOf({ repo: 'acme/shop', runId: 7 }, never));
    expect(error.code).toBe('not_found');
    expect(error.message).toContain('the jobs of run 7 of acme/shop');
    expect((await failure(api.job({ repo: 'acme/shop', jobId: 9 }, never))).code).toBe('not_found');
  });
});

describe('one job', () => {
  it('is requested by its number', async () => {
    const { api, github } = await setup(() => ({ body: job(9, { status: 'in_progress' }) }));
    const { value } = await api.job({ repo: 'acme/shop', jobId: 9 }, never);
    expect(value).toMatchObject({ jobId: 9, runId: 7, status: 'in_progress' });
    expect(github.asked).toEqual(['GET /repos/acme/shop/actions/jobs/9']);
  });

  it('that cannot be read is unknown', async () => {
    const { api } = await setup(() => ({ body: { id: 9 } }));
    const error = await failure(api.job({ repo: 'acme/shop', jobId: 9 }, never));
    expect(error.code).toBe('unavailable');
    expect(error.message).toMatch(/job 9 of acme\/shop.*run_id/);
  });
});
