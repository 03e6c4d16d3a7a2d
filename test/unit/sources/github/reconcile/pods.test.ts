import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FakePods } from '../../../../../fakes/peers.ts';
import { ScalerError } from '../../../../../src/errors.ts';
import { type Reconciling, type ReconcilingOptions, reconciling } from './reconciling.ts';
import { ScriptedGitHub } from './scripted-github.ts';
import { VirtualClock } from './virtual-clock.ts';

const repos = ['acme/web', 'acme/api', 'acme/docs'];

interface Scene {
  readonly pods: FakePods;
  readonly clock: VirtualClock;
  readonly github: ScriptedGitHub;
  /** Starts another pod. */
  start(aheadMs?: number, options?: Omit<ReconcilingOptions, 'pod' | 'prepare'>): Reconciling;
}

function scene(): Scene {
  const pods = new FakePods();
  const clock = new VirtualClock();
  const github = new ScriptedGitHub(clock, repos);
  const start: Scene['start'] = (aheadMs, options = {}) =>
    reconciling({
      repos,
      ...options,
      pod: { pods, github, clock, ...(aheadMs !== undefined && { aheadMs }) },
    });
  return { pods, clock, github, start };
}

const confirmedAtMs = ({ coverage }: Reconciling, repo: string): number => {
  const covered = coverage.of([repo]);
  return covered.kind === 'synced' ? covered.confirmedAtMs : Number.NaN;
};

it('a pod that starts later has the same numbers without asking GitHub', async () => {
  const { clock, github, start } = scene();
  github.put('acme/web', 1, 11);
  const first = start();
  await clock.advance(60_000);
  const asked = github.calls.length;
  const second = start();
  await clock.advance(10_000);
  expect(second.counted()).toBe(1);
  expect(second.coverage.of([])).toMatchObject({ kind: 'synced' });
  expect(github.calls.length).toBe(asked);
  expect(confirmedAtMs(second, 'acme/web')).toBeLessThanOrEqual(confirmedAtMs(first, 'acme/web'));
});

it('a finding of one pod’s sweep reaches the others at once', async () => {
  const { clock, github, start } = scene();
  const all = [start(), start(), start()];
  await clock.advance(60_000);
  // No webhook reports it.
  github.put('acme/web', 1, 11);
  let apartMs = 0;
  for (let atMs = 0; atMs < 1_800_000; atMs += 500) {
    await clock.advance(500);
    if (new Set(all.map((pod) => pod.counted())).size > 1) apartMs += 500;
  }
  expect(all.map((pod) => pod.counted())).toEqual([1, 1, 1]);
  // Passing on the answers takes as long as GitHub needs to answer here.
  expect(apartMs).toBeLessThanOrEqual(1_000);
});

it('three pods ask GitHub hardly more than one does', async () => {
  const askedBy = async (count: number): Promise<number> => {
    const { clock, github, start } = scene();
    for (let i = 1; i <= 5; i += 1) github.put('acme/web', i, i * 10);
    for (let i = 0; i < count; i += 1) {
      start();
      await clock.advance(7 * 60_000);
    }
    const before = github.calls.length;
    await clock.advance(6 * 3_600_000);
    return github.calls.length - before;
  };
  const [one, three] = [await askedBy(1), await askedBy(3)];
  expect(one).toBeGreaterThan(100);
  expect(three).toBeLessThan(one * 1.15);
});

it('another pod continues where the first has stopped', async () => {
  const { pods, clock, github, start } = scene();
  for (let i = 1; i <= 5; i += 1) github.put('acme/web', i, i * 10);
  start();
  const second = start();
  await clock.advance(60_000);
  const before = github.calls.length;
  pods.give(1);
  await clock.advance(60_000);
  expect(github.calls.length).toBe(before);
  github.put('acme/web', 9, 99);
  await clock.advance(900_000);
  expect(second.counted()).toBe(6);
});

it('one pod has failed deliveries repeated, and later another', async () => {
  const { pods, clock, github, start } = scene();
  const checks = () => github.callsOf('failedDeliveries').length;
  start(undefined, { app: true });
  start(undefined, { app: true });
  await clock.advance(600_000);
  const first = checks();
  expect(first).toBeGreaterThan(3);
  expect(first).toBeLessThan(8);
  pods.give(1);
  await clock.advance(600_000);
  expect(checks()).toBeGreaterThan(first + 3);
  expect(checks()).toBeLessThan(first + 8);
});

it('a pod whose clock is an hour ahead does not make another take its data for new', async () => {
  const { pods, clock, github, start } = scene();
  start(3_600_000);
  const second = start();
  await clock.advance(60_000);
  expect(confirmedAtMs(second, 'acme/web')).toBeLessThanOrEqual(clock.nowMs);
  // Now no pod asks.
  pods.give(99);
  github.put('acme/web', 1, 11);
  await clock.advance(3_600_000);
  expect(confirmedAtMs(second, 'acme/web')).toBeLessThanOrEqual(clock.nowMs - 3_500_000);
});

it.each<[what: string, error: ScalerError | undefined, reported: string | undefined]>([
  ['an answer', undefined, undefined],
  ['no answer', new ScalerError('unavailable', 'GitHub does not answer'), 'GitHub does not answer'],
  ['a limit', new ScalerError('unavailable', 'not now', { retryAfterMs: 60_000 }), undefined],
  ['a repository that is not there', new ScalerError('not_found', 'no such repository'), undefined],
])('%s: the pod with the lease reports whether it reaches GitHub', async (_, error, reported) => {
  const { pods, clock, github, start } = scene();
  github.fault = () => error;
  start();
  start();
  await clock.advance(60_000);
  const [holder, other] = pods.members;
  expect(holder?.asked).toContain(reported);
  expect(new Set(holder?.asked).size).toBe(1);
  expect(other?.asked).toEqual([]);
});

it('a request that the loss of the lease cuts short says nothing about GitHub', async () => {
  const { pods, clock, github, start } = scene();
  github.latencyMs = 10_000;
  start();
  start();
  await clock.advance(5_000);
  pods.give(1);
  await clock.advance(4_000);
  expect(github.calls.length).toBeGreaterThan(0);
  expect(pods.members[0]?.asked).toEqual([]);
  github.latencyMs = 100;
  await clock.advance(60_000);
});

const step = fc.record({
  repo: fc.nat({ max: repos.length - 1 }),
  run: fc.integer({ min: 1, max: 3 }),
  status: fc.constantFrom('queued' as const, 'in_progress' as const, 'completed' as const),
  /** The event log gives webhooks to all pods. This one may be lost. */
  heard: fc.boolean(),
  lease: fc.option(fc.nat({ max: 3 })),
  seconds: fc.constantFrom(0, 1, 12, 100, 400),
});

it('whatever was lost and whichever pod had the lease, all pods reach the truth', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { pods, clock, github, start } = scene();
      const all = [start(), start(5_000), start(-5_000)];
      for (const { repo, run, status, heard, lease, seconds } of steps) {
        const runId = repo * 10 + run;
        if (github.jobs.get(runId * 10)?.status !== 'completed') {
          const job = github.put(repos[repo] ?? '', runId, runId * 10, status);
          if (heard) for (const pod of all) pod.hear(job);
        }
        // The fourth does not exist, so no pod has the lease.
        if (lease !== null) pods.give(lease);
        await clock.advance(seconds * 1000);
      }
      pods.give(steps.length % all.length);
      await clock.advance(100_000);
      for (const { reconciler } of all) for (const repo of repos) reconciler.need([repo], 120_000);
      await clock.advance(200_000);
      for (const pod of all) {
        expect(pod.coverage.of(repos)).toMatchObject({ kind: 'synced' });
        for (const repo of repos) expect(pod.counted(repo)).toBe(github.open(repo));
        await pod.reconciler.close();
      }
    }),
    { numRuns: 60 },
  );
});
