import { describe, expect, it } from 'vitest';
import { reconciling } from './reconciling.ts';
import { notFound } from './scripted-github.ts';

describe('a repository that GitHub answers 404 for', () => {
  it('is missing where a trigger names it, beside others that are there', async () => {
    const at = reconciling({ repos: ['acme/web'] });
    at.github.removed.add('acme/typo');
    at.reconciler.need(['acme/typo', 'acme/web'], undefined);
    await at.seconds(5);
    expect(at.coverage.of(['acme/typo', 'acme/web'])).toMatchObject({
      kind: 'missing',
      repos: ['acme/typo'],
    });
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    const covered = at.coverage.of(['acme/typo']);
    expect(covered).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
    expect(covered.kind === 'unsynced' && covered.error.message).toMatch(/acme\/typo.*App is installed/);
    const warnings = at.log.lines.filter(({ message }) => /does not know these/.test(message));
    expect(warnings).toHaveLength(1);
  });

  it('is asked for again at each sweep, and found', async () => {
    const at = reconciling({ settings: { repos: ['acme/web', 'acme/late'] } });
    at.github.removed.add('acme/late');
    await at.seconds(5);
    expect(at.coverage.of([])).toMatchObject({ kind: 'missing', repos: ['acme/late'] });
    await at.seconds(3600);
    expect(at.github.callsOf('openRuns', 'acme/late').length).toBeLessThanOrEqual(6);
    at.github.removed.delete('acme/late');
    at.github.put('acme/late', 1, 11);
    await at.seconds(901);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    expect(at.counted('acme/late')).toBe(1);
  });

  it('makes all of the owner unknown where all that are configured are missing', async () => {
    const at = reconciling({ settings: { repos: ['acme/typo'] } });
    at.github.removed.add('acme/typo');
    await at.reconciler.firstSync(AbortSignal.timeout(0));
    await at.seconds(5);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
  });

  it('is forgotten with its jobs where it was only listed', async () => {
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

  it('does not end its jobs while nothing else can be read: then it is our rights that are gone', async () => {
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

  it('between its list of runs and the runs takes no jobs with it that might still wait', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    at.hear(at.github.put('acme/web', 1, 11));
    await at.seconds(5);
    at.github.fault = ({ operation, about }) => {
      // After the list: all that is asked of the repository from now on is not there.
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

  it('though it stays on the list costs few requests', async () => {
    const locked = Array.from({ length: 20 }, (_, i) => `acme/locked-${i}`);
    const at = reconciling({ repos: ['acme/web', ...locked] });
    for (const repo of locked) at.github.removed.add(repo);
    await at.seconds(6 * 3600);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
    expect(at.github.callsOf('openRuns', 'acme/locked-7').length).toBeLessThanOrEqual(4);
    expect(at.github.callsOf('repositories').length).toBeLessThanOrEqual(4);
  });

  it('as is every other that is listed leaves the owner unknown: a token may list what it may not read', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    for (const repo of at.github.listed) at.github.removed.add(repo);
    await at.seconds(600);
    expect(at.coverage.of([])).toMatchObject({ kind: 'unsynced', error: { code: 'not_found' } });
    at.github.removed.clear();
    await at.seconds(21_600);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
  });
});
