import { describe, expect, it } from 'vitest';
import type { Reply, Seen } from './scripted-github.ts';
import { failure, never, setup, startMs } from './setup.ts';

interface Run {
  id: number;
  status: string | null;
  created_at: string;
  run_attempt?: number;
}

const dayMs = 86_400_000;

function run(id: number, status: string | null = 'queued', createdAtMs = startMs - dayMs): Run {
  return { id, status, created_at: new Date(createdAtMs).toISOString() };
}

/** Lists as GitHub does: newest first, in pages of 100, by status and time, with at most 1,000 for a search. */
function lists(runs: () => readonly Run[]) {
  return ({ path, query }: Seen): Reply => {
    const status = query.get('status');
    const until = Date.parse(query.get('created')?.replace('<=', '') ?? '9999-01-01');
    const matching = runs()
      .filter((one) => (status === null || one.status === status) && Date.parse(one.created_at) <= until)
      .sort((a, b) => b.created_at.localeCompare(a.created_at));
    const findable = status === null ? matching : matching.slice(0, 1_000);
    const page = Number(query.get('page') ?? 1);
    const next = new URLSearchParams(query);
    next.set('page', String(page + 1));
    const link = `<http://elsewhere.invalid${path}?${next}>; rel="next"`;
    return {
      headers: page * 100 < findable.length ? { link } : {},
      body: { total_count: matching.length, workflow_runs: findable.slice((page - 1) * 100, page * 100) },
    };
  };
}

function many(count: number, first: number, status: string, ageMs = dayMs): Run[] {
  return Array.from({ length: count }, (_, i) => run(first + i, status, startMs - ageMs - i * 1_000));
}

describe('the open runs of a repository', () => {
  it('are in one list if it has all runs', async () => {
    const runs = [
      ...['queued', 'in_progress', 'waiting', 'pending', 'requested', 'completed'].map((status, i) =>
        run(i + 1, status),
      ),
      { ...run(7, null), run_attempt: 3 },
    ];
    const { api, github, clock } = await setup(lists(() => runs));
    const { value, askedAtMs } = await api.openRuns('acme/shop', never);
    expect(github.asked).toEqual(['GET /repos/acme/shop/actions/runs?per_page=100']);
    expect(value.map(({ runId }) => runId).sort()).toEqual([1, 2, 3, 4, 5, 7]);
    expect(value.find(({ runId }) => runId === 7)?.runAttempt).toBe(3);
    expect(value.find(({ runId }) => runId === 1)?.runAttempt).toBe(1);
    expect(askedAtMs).toBe(clock.nowMs);
  });

  it('are in one list if its oldest run is too old to be open', async () => {
    const runs = [...many(60, 1, 'queued'), ...many(200, 1_000, 'completed', 71 * dayMs)];
    const { api, github } = await setup(lists(() => runs));
    expect((await api.openRuns('acme/shop', never)).value).toHaveLength(60);
    expect(github.asked).toHaveLength(1);
  });

  it('are otherwise in five lists, which is remembered for some hours', async () => {
    const runs = [...many(150, 1, 'queued'), ...many(3, 500, 'waiting'), ...many(400, 1_000, 'completed', 1)];
    const { api, github, clock } = await setup(lists(() => runs));
    expect((await api.openRuns('acme/shop', never)).value).toHaveLength(153);
    expect(github.asked).toHaveLength(1 + 5 + 1);
    const unfiltered = () => github.asked.filter((asked) => !asked.includes('status=')).length;
    await api.openRuns('acme/shop', never);
    expect(unfiltered()).toBe(1);
    clock.nowMs += 7 * 3_600_000;
    await api.openRuns('acme/shop', never);
    expect(unfiltered()).toBe(2);
  });

  it('may be more than a search returns', async () => {
    const runs = [...many(2_345, 1, 'queued'), ...many(5, 5_000, 'pending')];
    const { api } = await setup(lists(() => runs));
    const { value } = await api.openRuns('acme/shop', never);
    expect(new Set(value.map(({ runId }) => runId)).size).toBe(2_350);
    expect(value).toHaveLength(2_350);
  });

  it('are found though the list changes during the read', async () => {
    let runs = many(250, 1, 'queued');
    const read = lists(() => runs);
    const { api } = await setup((seen) => {
      const reply = read(seen);
      // Between the first page and the second, 30 runs of the first end, so 30 slip from the second to the first.
      if (seen.query.get('status') === 'queued' && seen.query.get('page') === null && runs.length === 250) {
        runs = runs.slice(30);
      }
      return reply;
    });
    const ids = new Set((await api.openRuns('acme/shop', never)).value.map(({ runId }) => runId));
    expect(runs.filter(({ id }) => !ids.has(id))).toEqual([]);
  });

  it('are read at most three times if the list never rests', async () => {
    let runs = many(250, 1, 'queued');
    const read = lists(() => runs);
    const { api, github } = await setup((seen) => {
      const reply = read(seen);
      if (seen.query.get('status') === 'queued') runs = runs.slice(1);
      return reply;
    });
    await api.openRuns('acme/shop', never);
    expect(github.seen.filter(({ query }) => query.get('status') === 'queued')).toHaveLength(9);
  });

  it('name their repository, completed ones too, but never a former owner of its name', async () => {
    let id = 42;
    const runs = [...many(150, 1, 'queued'), ...many(400, 1_000, 'completed', 1)];
    const { api } = await setup((seen) => {
      const reply = lists(() => runs)(seen);
      return JSON.parse(JSON.stringify(reply), (key, value) =>
        key === 'workflow_runs' ? value.map((one: object) => ({ ...one, repository: { id } })) : value,
      );
    });
    const whose = async () => (await api.openRuns('acme/shop', never)).repo;
    expect(await whose()).toEqual({ id: 42, name: 'acme/shop' });
    id = 43;
    expect(await whose()).toEqual({ id: 43, name: 'acme/shop' });
    runs.splice(0, 150);
    const idle = await setup(() => ({
      body: { total_count: 1, workflow_runs: [{ ...run(1, 'completed'), repository: { id: 7 } }] },
    }));
    expect(await idle.api.openRuns('acme/shop', never)).toMatchObject({ value: [], repo: { id: 7 } });
  });

  it('from an outdated index are not open if the run itself has ended', async () => {
    const { api } = await setup(({ query }) => ({
      body: { total_count: query.has('status') ? 1 : 1_000, workflow_runs: [run(1, 'completed')] },
    }));
    expect((await api.openRuns('acme/shop', never)).value).toEqual([]);
  });

  it('lack unreadable ones, which is logged once', async () => {
    const { api, log } = await setup(() => ({
      body: { total_count: 3, workflow_runs: [run(1), { id: 'x' }, null] },
    }));
    expect((await api.openRuns('acme/shop', never)).value).toHaveLength(1);
    await api.openRuns('acme/shop', never);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('of a missing repository are not found', async () => {
    const { api } = await setup(() => ({ status: 404, body: { message: 'Not Found' } }));
    const error = await failure(api.openRuns('acme/gone', never));
    expect(error.code).toBe('not_found');
    expect(error.message).toMatch(/acme\/gone.*installed on it/);
  });

  it('of a repository that GitHub has blocked are not found', async () => {
    const { api } = await setup(() => ({ status: 451, body: { message: 'Repository access blocked' } }));
    const error = await failure(api.openRuns('acme/blocked', never));
    expect(error.code).toBe('not_found');
    expect(error.message).toMatch(/has blocked the runs of acme\/blocked/);
  });

  it('of an invalid name are not requested', async () => {
    const { api, github } = await setup(() => ({}));
    expect((await failure(api.openRuns('acme/../user', never))).code).toBe('invalid');
    expect(github.seen).toEqual([]);
  });

  it('of an endless list are unknown', async () => {
    const { api } = await setup(({ query }) => {
      const page = Number(query.get('page') ?? 1);
      return {
        headers: { link: `<http://x/?status=queued&page=${page + 1}>; rel="next"` },
        body: { total_count: 1_000_000, workflow_runs: [run(page)] },
      };
    });
    expect((await failure(api.openRuns('acme/shop', never))).message).toContain('more than 100 pages');
  });

  it('of a list whose next page is the same page are unknown', async () => {
    const { api, github } = await setup(({ query }) => ({
      headers: { link: `<http://x/?${query}>; rel="next"` },
      body: { total_count: 250, workflow_runs: [run(1)] },
    }));
    expect((await failure(api.openRuns('acme/shop', never))).message).toContain('one again and again');
    expect(github.seen.length).toBeLessThan(10);
  });
});
