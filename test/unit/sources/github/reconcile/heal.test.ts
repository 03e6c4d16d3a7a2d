import { describe, expect, it } from 'vitest';
import { type Reconciling, reconciling } from './reconciling.ts';
import { down } from './scripted-github.ts';

async function synced(): Promise<Reconciling> {
  const at = reconciling({ repos: ['acme/web', 'acme/api'] });
  await at.seconds(5);
  return at;
}

describe('lost webhooks', () => {
  it('a lost queued is found by the next sweep', async () => {
    const at = await synced();
    at.hear(at.github.put('acme/web', 1, 11));
    at.github.put('acme/web', 2, 21);
    await at.seconds(900);
    expect(at.counted()).toBe(2);
    expect(at.corrections).toEqual({ opened: 1, closed: 0 });
  });

  it('an in_progress that was never queued has its run read within seconds, once', async () => {
    const at = await synced();
    at.github.put('acme/web', 1, 12);
    at.github.put('acme/web', 1, 13);
    at.hear(at.github.put('acme/web', 1, 11, 'in_progress'));
    at.hear(at.github.put('acme/web', 1, 14, 'in_progress'));
    const before = at.github.calls.length;
    await at.seconds(3);
    expect(at.counted()).toBe(4);
    const calls = at.github.calls.slice(before).filter(({ operation }) => operation !== 'openRuns');
    expect(calls).toMatchObject([{ operation: 'jobsOf', runId: 1 }]);
    expect(at.corrections.opened).toBe(2);
  });

  it('a completed that was never queued has its run read, unless it was only skipped', async () => {
    const at = await synced();
    at.hear(at.github.put('acme/web', 1, 11, 'completed', { labels: [] }));
    at.hear(at.github.put('acme/web', 2, 21, 'completed'));
    await at.seconds(5);
    expect(at.github.callsOf('jobsOf').map(({ runId }) => runId)).toEqual([2]);
  });

  it('a run without a word of its jobs is read after ten seconds', async () => {
    const at = await synced();
    at.github.put('acme/web', 1, 11);
    at.hearRun({ repo: 'acme/web', runId: 1, runAttempt: 1, status: 'requested' });
    at.hearRun({ repo: 'acme/web', runId: 2, runAttempt: 1, status: 'requested' });
    at.hear(at.github.put('acme/web', 2, 21));
    await at.seconds(9);
    expect(at.github.callsOf('jobsOf')).toEqual([]);
    await at.seconds(3);
    expect(at.github.callsOf('jobsOf').map(({ runId }) => runId)).toEqual([1]);
    expect(at.counted()).toBe(2);
  });

  it('a lost completed, or cancelled in the queue, is found when the job has been silent', async () => {
    const at = await synced();
    at.hear(at.github.put('acme/web', 1, 11));
    at.github.put('acme/web', 1, 11, 'completed');
    at.hear(at.github.put('acme/api', 2, 21, 'in_progress'));
    await at.seconds(330);
    expect(at.counted('acme/web')).toBe(0);
    expect(at.corrections.closed).toBe(1);
    expect(at.counted('acme/api')).toBe(1);
  });

  it('a job that the listing lacks is read by its ID', async () => {
    const at = await synced();
    at.hear(at.github.put('acme/web', 1, 11));
    at.hear(at.github.put('acme/web', 1, 12));
    at.github.jobs.delete(11);
    await at.seconds(330);
    expect(at.github.callsOf('job')).toHaveLength(1);
    expect(at.counted()).toBe(1);
  });

  it('a run that was deleted ends with its jobs, once its repository is known to be there', async () => {
    const at = await synced();
    at.hear(at.github.put('acme/web', 1, 11));
    await at.seconds(60);
    at.github.deletedRuns.add(1);
    await at.seconds(300);
    expect(at.counted()).toBe(0);
  });
});

describe('wrong webhooks', () => {
  it('ghost runs without jobs are no jobs', async () => {
    const at = reconciling({ prepare: (github) => github.ghosts.set('acme/web', [1, 2, 3]) });
    await at.seconds(5);
    expect(at.counted()).toBe(0);
    expect(at.coverage.of([])).toMatchObject({ kind: 'synced' });
  });

  it('a job at a gate counts at once, and stops to count when REST says that it waits', async () => {
    const at = await synced();
    const job = at.github.put('acme/web', 1, 11, 'queued', { gated: true });
    at.github.put('acme/web', 1, 11, 'waiting', { gated: true });
    at.hear(job);
    expect(at.counted()).toBe(1);
    await at.seconds(13);
    expect(at.counted()).toBe(0);
    expect(at.corrections.closed).toBe(1);
  });

  it('a replayed queued does not count until REST has confirmed it', async () => {
    const at = await synced();
    const sinceMs = at.clock.nowMs - 3_600_000;
    const still = at.github.put('acme/web', 1, 11, 'queued', { sinceMs });
    const over = at.github.put('acme/web', 2, 21, 'queued', { sinceMs });
    at.github.put('acme/web', 2, 21, 'completed');
    at.hear(still);
    at.hear(over);
    expect(at.counted()).toBe(0);
    await at.seconds(2);
    expect(at.counted()).toBe(1);
  });

  it('a job that GitHub must have cancelled long ago is dropped, even if it cannot be read', async () => {
    const at = reconciling();
    await at.seconds(5);
    at.hear(at.github.put('acme/web', 1, 11));
    at.github.fault = down;
    await at.seconds(26 * 3600);
    expect(at.counted()).toBe(0);
  });
});

it('an installation that a webhook names is not looked up', async () => {
  const at = await synced();
  const fact = { kind: 'run', repo: 'acme/web', runId: 1, runAttempt: 1, status: 'in_progress' } as const;
  at.reconciler.take({ ...fact, installationId: 42 }, at.clock.nowMs);
  expect(at.github.installations).toEqual([['acme', 42]]);
});
