import { describe, expect, it } from 'vitest';
import { reconciling } from './reconciling.ts';
import { notFound } from './scripted-github.ts';

describe('a repository that GitHub answers 404 for', () => {
  it('is missing if a trigger names it, beside others that exist', async () => {
    const at = reconciling({ repos: ['acme/web'] });
    at.github.removed.add('acme/typo');
    at.reconciler.need(['acme/typo', 'acme/web'], undefined);
    await at.seconds(5);
    expect(at.coverage.of(['acme/typo', 'acme/web'])).toMatchObject({
      kind: 'partial',
      repos: ['acme/typo'],
    });
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    const covered = at.coverage.of(['acme/typo']);
    expect(covered).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
    expect(covered.kind === 'unsynced' && covered.error.message).toMatch(/acme\/typo.*App is installed/);
    const warnings = at.log.lines.filter(({ message }) => /does not know these/.test(message));
    expect(warnings).toHaveLength(1);
  });

  it('is requested again at each sweep, and found', async () => {
    const at = reconciling({ settings: { repos: ['acme/web', 'acme/late'] } });
    at.github.removed.add('acme/late');
    await at.seconds(5);
    expect(at.coverage.of([])).toMatchObject({ kind: 'partial', repos: ['acme/late'] });
    await at.seconds(3600);
    expect(at.github.callsOf('openRuns', 'acme/late').length).toBeLessThanOrEqual(6);
    at.github.removed.delete('acme/late');
    at.github.put('acme/late', 1, 11);
    await at.seconds(901);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    expect(at.counted('acme/late')).toBe(1);
  });

  it('makes the whole owner unknown if all configured ones are missing', async () => {
    const at = reconciling({ settings: { repos: ['acme/typo'] } });
    at.github.removed.add('acme/typo');
    await at.reconciler.firstSync(AbortSignal.timeout(0));
    await at.seconds(5);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
  });

  it('is forgotten with its jobs if it was only listed', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/old'] });
    await at.seconds(5);
    at.hear(at.github.put('acme/old', 1, 11));
    await at.seconds(5);
    at.github.removed.add('acme/old');
    at.github.listed.delete('acme/old');
    await at.seconds(1800);
    expect(at.counted()).toBe(0);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
  });

  it('does not lose its jobs while nothing else can be read: then our rights are gone', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    at.hear(at.github.put('acme/web', 1, 11));
    at.hear(at.github.put('acme/api', 2, 21));
    await at.seconds(5);
    at.github.fault = ({ about }) => notFound(about);
    await at.seconds(6 * 3600);
    expect(at.counted()).toBe(2);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
    expect(at.github.calls.length).toBeLessThan(6 * 75);
  });

  it('between its list of runs and the runs loses no jobs that might still wait', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    at.hear(at.github.put('acme/web', 1, 11));
    await at.seconds(5);
    at.github.fault = ({ operation, about }) => {
      // After the list, every request for the repository gets a 404.
      if (operation === 'openRuns' && about === 'acme/web' && !at.github.removed.has(about))
        at.clock.setTimer(() => void at.github.removed.add(about), 150);
      return undefined;
    };
    at.reconciler.need(['acme/web'], 60_000);
    await at.seconds(40);
    expect(at.coverage.of(['acme/web'])).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
    at.github.fault = ({ about }) => notFound(about);
    at.github.removed.clear();
    await at.seconds(600);
    expect(at.counted('acme/web')).toBe(1);
  });

  it('and stays on the list costs few requests', async () => {
    const locked = Array.from({ length: 20 }, (_, i) => `acme/locked-${i}`);
    const at = reconciling({ repos: ['acme/web', ...locked] });
    for (const repo of locked) at.github.removed.add(repo);
    await at.seconds(6 * 3600);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    expect(at.github.callsOf('openRuns', 'acme/locked-7').length).toBeLessThanOrEqual(4);
    expect(at.github.callsOf('repositories').length).toBeLessThanOrEqual(4);
  });

  it('like every other listed one leaves the owner unknown: a token may list more than it may read', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    for (const repo of at.github.listed) at.github.removed.add(repo);
    await at.seconds(600);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
    at.github.removed.clear();
    await at.seconds(21_600);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
  });

  describe('and that only a trigger knows', () => {
    const madeUp = Array.from({ length: 3_000 }, (_, i) => `acme/no-${i}`);
    const inVain = (at: ReturnType<typeof reconciling>) =>
      at.github.calls.filter(({ about }) => at.github.removed.has(about)).length;

    function withMadeUp() {
      const at = reconciling({ repos: ['acme/web', 'acme/api'] });
      for (const name of madeUp) at.github.removed.add(name);
      for (let i = 0; i < madeUp.length; i += 200) at.reconciler.need(madeUp.slice(i, i + 200), 120_000);
      at.reconciler.need(['acme/web'], 120_000);
      at.reconciler.need([], undefined);
      return at;
    }

    it('is requested within an allowance of its own, after everything that exists', async () => {
      const at = withMadeUp();
      await at.seconds(5);
      expect(at.coverage.of(['acme/web'])).toMatchObject({ kind: 'synced' });
      expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
      await at.seconds(20 * 60);
      expect(inVain(at)).toBeLessThanOrEqual(60 + 41);
      expect(inVain(at)).toBeGreaterThan(60);
    });

    it('does not hold up verifying and sweeping, and makes nothing stale', async () => {
      const at = withMadeUp();
      at.hear(at.github.put('acme/web', 1, 11));
      await at.seconds(460);
      at.reconciler.need(['acme/web'], 120_000);
      expect(at.github.callsOf('jobsOf', 'acme/web').length).toBeGreaterThan(0);
      for (const repos of [['acme/web'], []]) {
        const covered = at.coverage.of(repos);
        expect(covered.kind === 'synced' && at.clock.nowMs - covered.confirmedAtMs).toBeLessThan(
          repos.length > 0 ? 65_000 : 905_000,
        );
      }
    });

    it('says why it waits', async () => {
      const at = withMadeUp();
      await at.seconds(60);
      const covered = at.coverage.of(madeUp.slice(-1));
      expect(covered.kind === 'unsynced' && covered.error.message).toMatch(/no-2999 .*wait for all others/);
    });

    it('is found once it exists', async () => {
      const at = withMadeUp();
      at.github.removed.delete('acme/no-5');
      await at.seconds(30);
      expect(at.coverage.of(['acme/no-5'])).toMatchObject({ kind: 'synced' });
    });

    it('cannot stop the loop by its number', async () => {
      const at = reconciling({ repos: ['acme/web'] });
      for (let i = 0; i < 10; i += 1) {
        const names = Array.from({ length: 13_000 }, (_, j) => `acme/x${i}-${j}`);
        for (const name of names) at.github.removed.add(name);
        at.reconciler.need(names, 7_200_000);
      }
      await at.seconds(60);
      at.hear(at.github.put('acme/web', 1, 11));
      await at.seconds(330);
      expect(at.github.callsOf('jobsOf', 'acme/web').length).toBeGreaterThan(0);
      expect(at.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    });
  });
});
