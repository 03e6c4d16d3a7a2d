import { describe, expect, it } from 'vitest';
import { reconciling } from './reconciling.ts';
import { down } from './scripted-github.ts';

function reposOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `acme/repo-${i}`);
}

function ageMs(at: ReturnType<typeof reconciling>, repos: readonly string[]): number {
  const covered = at.coverage.of(repos);
  return covered.kind === 'unsynced' ? Number.POSITIVE_INFINITY : at.clock.nowMs - covered.confirmedAtMs;
}

describe('how often repositories are swept', () => {
  it('twice within the smallest limit on staleness of those that name them', async () => {
    const at = reconciling({ repos: ['acme/web', 'acme/api'] });
    await at.seconds(5);
    let oldestMs = 0;
    for (let i = 0; i < 40; i += 1) {
      at.reconciler.need(['acme/web'], 60_000);
      at.reconciler.need(['acme/api', 'acme/web'], 3_600_000);
      await at.seconds(30);
      oldestMs = Math.max(oldestMs, ageMs(at, ['acme/web']));
    }
    expect(oldestMs).toBeLessThanOrEqual(31_000);
    expect(at.github.callsOf('openRuns', 'acme/api').length).toBeLessThanOrEqual(3);
  });

  it('until no call has come for ten minutes', async () => {
    const at = reconciling({ repos: ['acme/web'] });
    at.reconciler.need(['acme/web'], 60_000);
    await at.seconds(700);
    const before = at.github.callsOf('openRuns').length;
    expect(before).toBeGreaterThan(15);
    await at.seconds(700);
    expect(at.github.callsOf('openRuns').length).toBeLessThanOrEqual(before + 1);
  });

  it('active ones every sweepSeconds, those at rest every sweepAllSeconds', async () => {
    const at = reconciling({ repos: reposOf(10) });
    await at.seconds(60);
    at.hear(at.github.put('acme/repo-3', 1, 11));
    await at.seconds(6 * 3600);
    expect(at.github.callsOf('openRuns', 'acme/repo-3').length).toBeGreaterThanOrEqual(24);
    expect(at.github.callsOf('openRuns', 'acme/repo-4').length).toBeLessThanOrEqual(2);
  });

  it('all of the owner: its age stays within the interval, whether it is active or at rest', async () => {
    const at = reconciling({ repos: reposOf(10) });
    let oldestMs = 0;
    await at.seconds(60);
    for (let i = 0; i < 200; i += 1) {
      await at.seconds(60);
      oldestMs = Math.max(oldestMs, ageMs(at, []));
      if (i === 100) at.hear(at.github.put('acme/repo-3', 1, 11, 'in_progress'));
    }
    expect(oldestMs).toBeLessThanOrEqual(901_000);
    expect(at.github.callsOf('openRuns').length).toBeLessThan(35);
  });

  it('all of the owner: one that was at rest for hours does not make it old when it becomes active', async () => {
    const at = reconciling({ repos: reposOf(10) });
    at.hear(at.github.put('acme/repo-3', 1, 11));
    await at.seconds(5 * 3600);
    at.github.fault = ({ about }) => (about === 'acme/repo-4' ? down() : undefined);
    at.hear(at.github.put('acme/repo-4', 2, 21));
    await at.seconds(900);
    expect(ageMs(at, [])).toBeLessThanOrEqual(1_801_000);
  });

  it('all of the owner: half the limit of those that ask for all', async () => {
    const at = reconciling({ repos: reposOf(3) });
    await at.seconds(5);
    for (let i = 0; i < 10; i += 1) {
      at.reconciler.need([], 120_000);
      await at.seconds(60);
    }
    expect(ageMs(at, [])).toBeLessThanOrEqual(61_000);
  });

  it('says once that they are too many for their interval', async () => {
    const at = reconciling({ repos: reposOf(20), settings: { sweepSeconds: 30 } });
    at.github.latencyMs = 2000;
    for (let i = 0; i < 10; i += 1) {
      at.reconciler.need(reposOf(20), undefined);
      await at.seconds(60);
    }
    expect(at.log.lines.filter(({ message }) => /longer than their interval/.test(message))).toHaveLength(1);
  });
});

describe('the requests of an hour', () => {
  it('100 repositories with 10 open runs, all webhooks delivered', async () => {
    const at = reconciling({ repos: reposOf(100), app: true });
    await at.seconds(60);
    for (let run = 0; run < 10; run += 1)
      at.hear(at.github.put(`acme/repo-${run}`, run, run * 10, 'in_progress'));
    await at.seconds(60);
    const before = at.github.calls.length;
    at.reconciler.need([], 3_600_000);
    await at.seconds(3600);
    const hour = at.github.calls.slice(before);
    const count = (operation: string): number => hour.filter((call) => call.operation === operation).length;
    expect(count('openRuns')).toBeLessThanOrEqual(50);
    expect(count('jobsOf')).toBeLessThanOrEqual(50);
    expect(count('failedDeliveries')).toBe(30);
    expect(hour.length).toBeLessThanOrEqual(130);
  });

  it('the same if triggers name all of the repositories', async () => {
    const at = reconciling({ repos: reposOf(100), app: true });
    await at.seconds(60);
    for (let run = 0; run < 10; run += 1)
      at.hear(at.github.put(`acme/repo-${run}`, run, run * 10, 'in_progress'));
    for (let minute = 0; minute < 30; minute += 1) {
      at.reconciler.need(reposOf(100), 3_600_000);
      await at.seconds(60);
    }
    const before = at.github.calls.length;
    for (let minute = 0; minute < 60; minute += 1) {
      at.reconciler.need(reposOf(100), 3_600_000);
      await at.seconds(60);
    }
    const hour = at.github.calls.slice(before);
    expect(hour.length).toBeLessThanOrEqual(480);
  });
});
