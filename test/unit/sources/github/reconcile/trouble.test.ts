import { describe, expect, it } from 'vitest';
import { backlog } from '../../../../../src/sources/github/rules/backlog.ts';
import { paramsOf } from '../trigger-params.ts';
import { reconciling } from './reconciling.ts';
import { down, limited } from './scripted-github.ts';

describe('GitHub down for an hour', () => {
  it('keeps what is known without confirming it, and heals within a minute afterwards', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    at.hear(at.github.put('acme/web', 1, 11));
    at.hear(at.github.put('acme/api', 2, 21));
    await at.seconds(60);
    const downAtMs = at.clock.nowMs;
    at.github.fault = down;
    at.github.put('acme/web', 1, 11, 'completed');
    at.github.put('acme/web', 3, 31);
    at.github.put('acme/web', 3, 32);
    await at.seconds(3600);
    expect(at.counted()).toBe(2);
    const before = at.coverage.of([]);
    expect(before.kind === 'synced' && before.confirmedAtMs).toBeLessThan(downAtMs);
    expect(at.github.calls.length).toBeLessThan(500);
    at.github.fault = () => undefined;
    await at.seconds(75);
    expect(at.counted()).toBe(3);
    const after = at.coverage.of([]);
    expect(after.kind === 'synced' && after.confirmedAtMs).toBeGreaterThan(downAtMs + 3_600_000);
  });

  it('gets few requests, however much there is to ask', async () => {
    const repos = Array.from({ length: 60 }, (_, i) => `acme/repo-${i}`);
    const at = reconciling({ settings: { repos } });
    await at.seconds(60);
    at.github.fault = down;
    const before = at.github.calls.length;
    await at.seconds(3600);
    expect(at.github.calls.length - before).toBeLessThan(400);
  });

  it('is logged once, and so is its end', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    await at.seconds(5);
    at.github.fault = down;
    await at.seconds(3600);
    at.github.fault = () => undefined;
    await at.seconds(120);
    expect(at.log.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  it('at the start keeps the first sync waiting, with the reason', async () => {
    const at = reconciling({ prepare: (github) => Object.assign(github, { fault: down }) });
    let done = false;
    void at.reconciler.firstSync(new AbortController().signal).then(() => {
      done = true;
    });
    at.reconciler.need(['acme/web'], undefined);
    await at.seconds(600);
    expect(done).toBe(false);
    for (const repos of [[], ['acme/web']]) {
      const covered = at.coverage.of(repos);
      expect(covered).toMatchObject({ kind: 'unsynced', error: { code: 'unavailable' } });
      expect(covered.kind === 'unsynced' && covered.error.message).toMatch(/502/);
    }
    at.github.fault = () => undefined;
    await at.seconds(75);
    expect(done).toBe(true);
  });
});

describe('a limit', () => {
  it('stops all requests, says until when, and ends', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'], app: true });
    at.github.fault = ({ operation }) => (operation === 'openRuns' ? limited(1800) : undefined);
    at.reconciler.need(['acme/web'], undefined);
    await at.seconds(5);
    const before = at.github.calls.length;
    at.github.fault = () => undefined;
    at.reconciler.need(['acme/api'], undefined);
    at.hear(at.github.put('acme/web', 1, 11, 'in_progress'));
    await at.seconds(1790);
    expect(at.github.calls.length).toBe(before);
    const covered = at.coverage.of(['acme/web']);
    expect(covered.kind === 'unsynced' && covered.error.message).toMatch(/until 12:30:00 UTC/);
    await at.seconds(10);
    expect(at.coverage.of(['acme/web', 'acme/api'])).toMatchObject({ kind: 'synced' });
    expect(at.log.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  it('during a sweep only interrupts it', async () => {
    const at = reconciling({
      prepare: (github) => {
        for (let run = 1; run <= 10; run += 1) github.put('acme/web', run, run * 10);
      },
    });
    at.github.fault = ({ runId }) => (runId === 5 ? limited(60) : undefined);
    await at.seconds(30);
    at.github.fault = () => undefined;
    await at.seconds(40);
    expect(at.counted()).toBe(10);
    expect(at.github.callsOf('openRuns')).toHaveLength(1);
  });

  it('that is nearly used up holds back sweeps, but not verification, nor a repository newly named by a trigger', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    at.hear(at.github.put('acme/web', 1, 11));
    await at.seconds(60);
    // Stretched four times this is 20 minutes.
    at.reconciler.need(['acme/web'], 600_000);
    const resetAtMs = at.clock.nowMs + 3_600_000;
    at.github.quota = { limit: 5000, remaining: 400, resetAtMs };
    const before = at.github.calls.length;
    at.github.put('acme/new', 2, 21);
    at.reconciler.need(['acme/new'], undefined);
    await at.seconds(3500);
    const operations = at.github.calls.slice(before).map(({ operation, about }) => `${operation} ${about}`);
    expect(operations.filter((text) => text.startsWith('openRuns'))).toEqual(['openRuns acme/new']);
    expect(operations).toContain('jobsOf acme/web');
    expect(at.counted()).toBe(2);
    await at.seconds(200);
    expect(at.github.callsOf('openRuns', 'acme/web')).toHaveLength(2);
  });
});

it('a limit that is nearly used up at the start is given as the reason', async () => {
  const at = reconciling({ repos: ['acme/web', 'acme/api'] });
  at.github.quota = { limit: 60, remaining: 2, resetAtMs: at.clock.nowMs + 1_200_000 };
  await at.seconds(600);
  const covered = at.coverage.of([]);
  expect(covered.kind === 'unsynced' && covered.error.message).toMatch(/nearly used up.*until 12:20:00 UTC/);
  await at.seconds(605);
  expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
});

describe('one repository that cannot be read', () => {
  it('does not hold up the others, is tried less and less often, and is left out and named', async () => {
    const at = reconciling({ repos: ['acme/bad', 'acme/web', 'acme/api'] });
    at.github.fault = ({ about }) => (about === 'acme/bad' ? down() : undefined);
    at.reconciler.need(['acme/bad'], undefined);
    at.reconciler.need([], undefined);
    await at.seconds(2);
    expect(at.coverage.of(['acme/web', 'acme/api'])).toMatchObject({ kind: 'synced' });
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced', error: { code: 'unavailable' } });
    await at.seconds(5);
    await at.reconciler.firstSync(new AbortController().signal);
    for (const repos of [[], ['acme/bad', 'acme/web']]) {
      const covered = at.coverage.of(repos);
      expect(covered).toMatchObject({ kind: 'partial', repos: ['acme/bad'], fault: { code: 'unavailable' } });
      expect(covered.kind === 'partial' && covered.fault?.message).toMatch(/acme\/bad cannot be read: .*502/);
    }
    const alone = at.coverage.of(['acme/bad']);
    expect(alone).toMatchObject({ kind: 'unsynced', error: { code: 'unavailable' } });
    expect(alone.kind === 'unsynced' && alone.error.message).toMatch(/502/);
    expect(at.woken).toContain('* reconcile');
    await at.seconds(3600);
    expect(at.github.callsOf('openRuns', 'acme/bad').length).toBeLessThan(75);
    at.github.fault = () => undefined;
    await at.seconds(61);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
  });

  it('keeps the whole owner unconfirmed while it is active, until it is given up', async () => {
    const at = reconciling({ repos: ['acme/bad', 'acme/web'] });
    at.hear(at.github.put('acme/bad', 1, 11));
    at.hear(at.github.put('acme/web', 2, 21));
    await at.seconds(60);
    const badAtMs = at.clock.nowMs;
    at.github.fault = ({ about }) => (about === 'acme/bad' ? down() : undefined);
    await at.seconds(2400);
    const all = at.coverage.of([]);
    expect(all.kind === 'synced' && all.confirmedAtMs).toBeLessThan(badAtMs);
    await at.seconds(1200);
    const rest = at.coverage.of([]);
    const web = at.coverage.of(['acme/web']);
    expect(rest).toMatchObject({ kind: 'partial', repos: ['acme/bad'] });
    expect(rest.kind === 'partial' && rest.confirmedAtMs).toBeGreaterThan(badAtMs + 2_600_000);
    expect(web.kind === 'synced' && web.confirmedAtMs).toBeGreaterThan(badAtMs + 2_600_000);
  });

  it('and is new is left out once another shows that GitHub works', async () => {
    const at = reconciling({ repos: ['acme/web'] });
    at.hear(at.github.put('acme/web', 1, 11));
    await at.seconds(60);
    at.github.fault = ({ about }) => (about === 'acme/bad' ? down() : undefined);
    at.hear(at.github.put('acme/bad', 2, 21));
    const newAtMs = at.clock.nowMs;
    await at.seconds(3600);
    const without = at.coverage.of([]);
    expect(without).toMatchObject({ kind: 'partial', repos: ['acme/bad'] });
    expect(without.kind === 'partial' && without.confirmedAtMs).toBeGreaterThan(newAtMs);
    at.github.fault = () => undefined;
    await at.seconds(61);
    const after = at.coverage.of([]);
    expect(after.kind === 'synced' && after.confirmedAtMs).toBeGreaterThan(newAtMs);
  });

  it('and is the last one is left out soon, since another read shows that GitHub works', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/bad'] });
    at.github.fault = ({ about }) => (about === 'acme/bad' ? down() : undefined);
    await at.seconds(10);
    expect(at.coverage.of([])).toMatchObject({ kind: 'partial', repos: ['acme/bad'] });
    expect(at.github.callsOf('openRuns', 'acme/web')).toHaveLength(2);
    await at.seconds(600);
    expect(at.github.callsOf('openRuns', 'acme/web')).toHaveLength(2);
  });

  it('is not left out while nothing else can be read either', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/bad'] });
    at.github.fault = ({ about }) => (about === 'acme/bad' ? down() : undefined);
    await at.seconds(1);
    at.github.fault = down;
    await at.seconds(3600);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced' });
  });

  it('because of one run still has its other runs read', async () => {
    const at = reconciling({
      prepare: (github) => {
        for (const run of [1, 2, 3]) github.put('acme/web', run, run * 10);
      },
    });
    at.github.fault = ({ runId }) => (runId === 1 ? down() : undefined);
    await at.seconds(5);
    expect(at.counted()).toBe(2);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced' });
  });
});

it('closes at once during a request, and leaves no timer', async () => {
  const at = reconciling();
  await at.clock.advance(150);
  const calls = at.github.calls.length;
  await at.reconciler.close();
  expect(at.clock.pending).toBe(0);
  await at.seconds(3600);
  expect(at.github.calls).toHaveLength(calls);
  expect(at.log.lines).toEqual([]);
});

it.each([2 * 86_400_000, -2 * 86_400_000])(
  'keeps its jobs while answers have a `Date` that is wrong by %s ms',
  async (offsetMs) => {
    const at = reconciling();
    await at.seconds(10);
    at.hear(at.github.put('acme/web', 1, 11));
    at.hear({ ...at.github.put('acme/web', 2, 12, 'queued', { gated: true }), sinceMs: undefined });
    at.github.clockOffsetMs = offsetMs;
    at.github.fault = down;
    await at.seconds(3000);
    expect(at.counted()).toBe(2);
  },
);

it('knows no zero while the ledger lacks jobs that had no room, and again after a sweep that has room for all', async () => {
  const at = reconciling({ repos: ['acme/web', 'acme/api'], maxJobs: 1 });
  const items = (repos: readonly string[]) => {
    const reading = backlog(paramsOf({}), {
      repos,
      jobs: at.reconciler.jobs,
      covered: at.coverage.of(repos),
    });
    return reading.kind === 'unknown' ? reading.error.message : reading.kind === 'known' && reading.items;
  };
  at.reconciler.need(['acme/api'], undefined);
  await at.seconds(10);
  at.hear(at.github.put('acme/web', 1, 11));
  expect([items([]), items(['acme/api'])]).toEqual([1, 0]);
  at.woken.length = 0;
  at.hear(at.github.put('acme/api', 2, 12));
  expect(at.woken).toEqual(['acme/api webhook']);
  expect([items([]), items(['acme/api'])]).toEqual([1, expect.stringContaining('maxJobs')]);
  await at.seconds(1000);
  expect(items(['acme/api'])).toEqual(expect.stringContaining('maxJobs'));
  at.hear(at.github.put('acme/web', 1, 11, 'completed'));
  await at.seconds(2000);
  expect([items(['acme/web']), items(['acme/api'])]).toEqual([0, 1]);
});

it('logs once that the ledger is full', async () => {
  const at = reconciling({
    maxJobs: 1,
    prepare: (github) => {
      for (const job of [11, 12, 13]) github.put('acme/web', 1, job);
    },
  });
  await at.seconds(2000);
  expect(at.log.lines.filter(({ message }) => /full/.test(message))).toHaveLength(1);
});
