import { describe, expect, it } from 'vitest';
import { reconciling } from './reconciling.ts';
import { down } from './scripted-github.ts';

describe('the first sync', () => {
  it('finds open jobs, and calls none of them a correction', async () => {
    const at = reconciling({
      repos: ['acme/web', 'acme/api'],
      prepare: (github) => {
        github.put('acme/web', 1, 11);
        github.put('acme/web', 1, 12, 'in_progress');
        github.put('acme/api', 2, 21);
        github.put('acme/api', 3, 31, 'completed');
      },
    });
    at.reconciler.need([], undefined);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced', error: { code: 'unavailable' } });
    await at.seconds(5);
    expect(at.counted()).toBe(3);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    expect(at.woken).toContain('* reconcile');
    expect(at.corrections).toEqual({ opened: 0, closed: 0 });
  });

  it('is confirmed as of the start of its first sweep', async () => {
    const at = reconciling({ prepare: (github) => github.put('acme/web', 1, 11) });
    const startMs = at.clock.nowMs;
    await at.seconds(5);
    const { calls } = at.github;
    const begunAtMs = calls.find(({ operation }) => operation === 'openRuns')?.atMs;
    expect(begunAtMs).toBe(startMs + at.github.latencyMs);
    expect(at.coverage.of([])).toEqual({ kind: 'synced', confirmedAtMs: begunAtMs });
    expect(at.coverage.of(['acme/web'])).toEqual({ kind: 'synced', confirmedAtMs: begunAtMs });
  });

  it('resolves waiting callers when all has been read, and not before', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api', 'acme/docs'] });
    let done = false;
    void at.reconciler.firstSync(new AbortController().signal).then(() => {
      done = true;
    });
    await at.clock.advance(350);
    expect(done).toBe(false);
    await at.seconds(1);
    expect(done).toBe(true);
    await at.reconciler.firstSync(new AbortController().signal);
  });

  it('releases waiting callers when they abort, and on close', async () => {
    const at = reconciling({ prepare: (github) => Object.assign(github, { fault: down }) });
    const abort = new AbortController();
    const waiting = at.reconciler.firstSync(abort.signal);
    const other = at.reconciler.firstSync(new AbortController().signal);
    abort.abort();
    await waiting;
    await at.reconciler.close();
    await other;
  });

  it('begins with repositories that triggers name, whatever else exists', async () => {
    const repos = Array.from({ length: 50 }, (_, i) => `acme/repo-${i}`);
    const at = reconciling({ repos });
    await at.seconds(1);
    at.reconciler.need(['acme/repo-40'], undefined);
    await at.clock.advance(250);
    expect(at.coverage.of(['acme/repo-40'])).toMatchObject({ kind: 'synced' });
    expect(at.coverage.of(['acme/repo-39', 'acme/repo-40'])).toMatchObject({ kind: 'unsynced' });
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced' });
  });

  it('of an owner without visible repositories has no number, and says what to check', async () => {
    const at = reconciling({ repos: [] });
    await at.reconciler.firstSync(AbortSignal.timeout(0));
    await at.seconds(2);
    const covered = at.coverage.of([]);
    expect(covered).toMatchObject({ kind: 'unsynced', error: { code: 'unavailable' } });
    expect(covered.kind === 'unsynced' && covered.error.message).toMatch(
      /no repository of acme: check `owner`/,
    );
    // A webhook may still report a repository.
    at.hear(at.github.put('acme/web', 1, 11));
    at.github.listed.add('acme/web');
    await at.seconds(62);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    at.github.listed.clear();
    await at.seconds(21_600);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced' });
  });

  it('of an owner with only archived repositories means no jobs, by the list', async () => {
    const at = reconciling({ repos: [], prepare: (github) => Object.assign(github, { archived: 1 }) });
    await at.seconds(2);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    await at.seconds(3600);
    expect(at.github.callsOf('repositories').length).toBe(4 + 1);
  });

  it('reads the configured repositories without requesting a list', async () => {
    const at = reconciling({ settings: { repos: ['acme/web', 'acme/api'] }, repos: ['acme/other'] });
    await at.seconds(2);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    expect(at.github.callsOf('repositories')).toEqual([]);
    expect(at.github.callsOf('openRuns', 'acme/other')).toEqual([]);
  });
});

describe('an enterprise', () => {
  it('has no list: its repositories must be named', async () => {
    const at = reconciling({ scope: 'ent' });
    await at.reconciler.firstSync(new AbortController().signal);
    await at.seconds(2);
    expect(at.github.calls).toEqual([]);
    const covered = at.coverage.of([]);
    expect(covered).toMatchObject({ kind: 'unsynced', error: { code: 'unavailable' } });
    expect(covered.kind === 'unsynced' && covered.error.message).toMatch(/name `repos`/);
    at.reconciler.need(['acme/web'], undefined);
    await at.seconds(1);
    expect(at.coverage.of(['acme/web'])).toMatchObject({ kind: 'synced' });
  });

  it('is known as far as its connection names repositories', async () => {
    const at = reconciling({ scope: 'ent', settings: { repos: ['acme/web', 'other/api'] } });
    await at.seconds(2);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
  });
});

describe('new repositories', () => {
  it('are read soon after an event, and do not make the others unknown', async () => {
    const at = reconciling();
    await at.seconds(5);
    const job = at.github.put('acme/new', 7, 71);
    at.github.put('acme/new', 8, 81);
    at.hear(job);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    await at.seconds(1);
    expect(at.counted('acme/new')).toBe(2);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    expect(at.coverage.of(['acme/new'])).toMatchObject({ kind: 'synced' });
  });

  it('of the list are found when it is renewed', async () => {
    const at = reconciling();
    await at.seconds(5);
    at.github.listed.add('acme/new');
    at.github.put('acme/new', 7, 71);
    await at.seconds(21_600);
    expect(at.counted('acme/new')).toBe(1);
  });

  it('beyond the configured ones are not swept', async () => {
    const at = reconciling({ settings: { repos: ['acme/web'] } });
    await at.seconds(5);
    at.hear(at.github.put('acme/other', 7, 71));
    await at.seconds(3600);
    expect(at.github.callsOf('openRuns', 'acme/other')).toEqual([]);
    expect(at.github.callsOf('jobsOf', 'acme/other').length).toBeGreaterThan(0);
  });
});
