import { describe, expect, it } from 'vitest';
import type { Reply, Seen } from './scripted-github.ts';
import { failure, never, setup } from './setup.ts';

const jobsOf = { repo: 'acme/shop', runId: 7 };

/** A run of 120 jobs whose pages may have at most `most`. */
function gateway(most: () => number) {
  return ({ path, query }: Seen): Reply => {
    const size = Number(query.get('per_page'));
    if (size > most()) return { status: 502, body: '<html>Server Error</html>' };
    const first = (Number(query.get('page') ?? 1) - 1) * size;
    const jobs = Array.from({ length: Math.min(size, 120 - first) }, (_, i) => ({
      ...{ id: first + i + 1, run_id: 7, run_attempt: 1, status: 'queued', labels: [] },
    }));
    const next = new URLSearchParams(query);
    next.set('page', String(first / size + 2));
    const link = `<http://x${path}?${next}>; rel="next"`;
    return { headers: first + size < 120 ? { link } : {}, body: { total_count: 120, jobs } };
  };
}

describe('pages that are too large for GitHub', () => {
  it.each([
    [50, ['100', '50', '50', '50']],
    [25, ['100', '50', '25', '25', '25', '25', '25']],
  ])('are requested in pages of %i, which is remembered for an hour', async (most, sizes) => {
    const { api, github, clock } = await setup(gateway(() => most));
    const sizesAsked = () => github.seen.splice(0).map(({ query }) => query.get('per_page'));
    expect((await api.jobsOf(jobsOf, never)).value).toHaveLength(120);
    expect(sizesAsked()).toEqual(sizes);
    await api.jobsOf(jobsOf, never);
    expect(sizesAsked()).toEqual(sizes.filter((size) => size === String(most)));
    clock.nowMs += 3_600_001;
    await api.jobsOf(jobsOf, never);
    expect(sizesAsked()).toEqual(sizes);
  });

  it('are not if no size works', async () => {
    let most = 0;
    const { api, github } = await setup(gateway(() => most));
    expect((await failure(api.jobsOf(jobsOf, never))).message).toContain('answers 502');
    expect(github.seen.splice(0)).toHaveLength(3);
    most = 100;
    expect((await api.jobsOf(jobsOf, never)).value).toHaveLength(120);
    expect(github.seen).toHaveLength(2);
  });

  it('in the middle of a list start it again', async () => {
    let pages = 0;
    const { api } = await setup(
      gateway(() => {
        pages += 1;
        return pages === 2 ? 50 : 100;
      }),
    );
    const { value } = await api.jobsOf(jobsOf, never);
    expect(value.map(({ jobId }) => jobId)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  });
});
