import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGitHub } from '../../../fakes/github/fake-github.ts';
import type { GitHubApi } from '../../../src/sources/github/upstream/api.ts';
import { createGitHubApi, type GitHubApiOptions } from '../../../src/sources/github/upstream/github.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { unmeasured } from '../../support/connection-deps.ts';
import { type Oracle, withOracle } from '../../support/github/openapi-oracle.ts';
import { startReceiver } from '../../support/github/receiver.ts';

const never = new AbortController().signal;
const dayMs = 86_400_000;
const queued = { labels: ['self-hosted', 'Linux'] };

let github: FakeGitHub;
let oracle: Oracle;
let skewMs = 0;
let aheadMs = 0;

beforeEach(async () => {
  skewMs = 0;
  aheadMs = 0;
  const now = () => Date.now() + skewMs + aheadMs;
  github = await FakeGitHub.start({ owner: 'Acme', token: 'pat', app: { id: 42, installationId: 7 }, now });
  github.addRepo('shop');
  oracle = withOracle(github);
});

afterEach(async () => {
  expect(oracle.violations).toEqual([]);
  await github.close();
});

function connect(options: Partial<GitHubApiOptions> = {}): GitHubApi {
  return createGitHubApi({
    owner: 'acme',
    scope: 'org',
    apiUrl: github.url,
    auth: { kind: 'app', id: 42, privateKey: github.app?.privateKey ?? '' },
    requestTimeoutMs: 5_000,
    metrics: unmeasured,
    log: silentLogger,
    now: () => Date.now() + aheadMs,
    ...options,
  });
}

const token = { auth: { kind: 'token', token: 'pat' } } as const;

/** Compares the runs that GitHub has open with those that the client finds. */
async function compareRuns(api: GitHubApi): Promise<void> {
  const open = new Set(github.openJobs('shop').map(({ run }) => run.id));
  const { value } = await api.openRuns('acme/shop', never);
  expect(new Set(value.map(({ runId }) => runId))).toEqual(open);
}

describe.each([
  ['an App', {}],
  ['a token', token],
])('by %s', (_, options) => {
  it('finds all repositories, runs and jobs', async () => {
    github.addRepo('old', { archived: true });
    github.addRepo('web', { private: true });
    const api = connect(options);
    const { repos } = await api.repositories(never);
    expect(repos.map(({ name }) => name).sort()).toEqual(['acme/shop', 'acme/web']);
    const run = github.startRun('shop', { jobs: [queued, { labels: ['gpu'], environment: true }] });
    github.startRun('shop', { jobs: [queued], status: 'pending' });
    github.pick(run.jobs[0]?.id ?? 0);
    await compareRuns(api);
    const { value } = await api.jobsOf({ repo: 'acme/shop', runId: run.id }, never);
    expect(value.map(({ status, labels }) => [status, labels])).toEqual([
      ['in_progress', ['linux', 'self-hosted']],
      ['waiting', ['gpu']],
    ]);
    const [first] = value;
    expect((await api.job({ repo: 'acme/shop', jobId: first?.jobId ?? 0 }, never)).value).toEqual(first);
    await expect(api.openRuns('acme/gone', never)).rejects.toMatchObject({ code: 'not_found' });
    await expect(api.jobsOf({ repo: 'acme/shop', runId: 1 }, never)).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('lists', () => {
  it('of more than one page, or more than a search returns, are complete', async () => {
    for (let i = 0; i < 1_150; i += 1) {
      github.seedRun('shop', { jobs: [queued], createdAtMs: Date.now() - dayMs - i * 1_000 });
    }
    const big = github.seedRun('shop', { jobs: Array(230).fill(queued) });
    const api = connect();
    await compareRuns(api);
    expect((await api.jobsOf({ repo: 'acme/shop', runId: big.id }, never)).value).toHaveLength(230);
  });

  it('that change during the read hide nothing', async () => {
    for (let i = 0; i < 320; i += 1) github.seedRun('shop', { jobs: [queued] });
    github.faults.drift = 3;
    const { value } = await connect().openRuns('acme/shop', never);
    const found = new Set(value.map(({ runId }) => runId));
    expect(github.openJobs('shop').filter(({ run }) => !found.has(run.id))).toEqual([]);
  });

  it('that have not changed cost no quota', async () => {
    for (let i = 0; i < 120; i += 1) github.seedRun('shop', { jobs: [queued] });
    const api = connect();
    await api.openRuns('acme/shop', never);
    await api.openRuns('acme/shop', never);
    const left = api.quota?.remaining;
    github.recorder.clear();
    await api.openRuns('acme/shop', never);
    expect(github.recorder.notModified).toBe(github.recorder.total);
    expect(api.quota?.remaining).toBe(left);
  });
});

describe('an App', () => {
  it.each([180_000, -180_000])('logs in to a GitHub whose clock is %i ms from ours', async (by) => {
    skewMs = by;
    github.startRun('shop', { jobs: [queued] });
    const api = connect();
    await compareRuns(api);
    expect(Math.abs(api.clockOffsetMs - by)).toBeLessThan(30_000);
  });

  it('continues when its tokens end, or are revoked', async () => {
    github.startRun('shop', { jobs: [queued] });
    const api = connect();
    await compareRuns(api);
    aheadMs += 61 * 60_000;
    await compareRuns(api);
    aheadMs += 60_000;
    github.revokeTokens();
    await compareRuns(api);
  });

  it('without the permission says which one is missing', async () => {
    github.grant({ metadata: 'read' });
    const asked = connect().openRuns('acme/shop', never);
    await expect(asked).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: undefined });
    await expect(asked).rejects.toThrow('"Actions: read"');
  });

  it('finds failed deliveries, and has them repeated', async () => {
    const listener = await startReceiver();
    try {
      github.hook({ url: listener.url, secret: 's' });
      github.loseDeliveries(1, { statusCode: 502 });
      github.startRun('shop', { jobs: [queued] });
      await github.delivered();
      const api = connect();
      const failed = () => api.failedDeliveries?.(Date.now() - dayMs, never);
      const [lost, ...others] = (await failed()) ?? [];
      expect(others).toEqual([]);
      if (lost !== undefined) await api.redeliver?.(lost, never);
      await github.delivered();
      expect(await failed()).toEqual([]);
    } finally {
      await listener.close();
    }
  });
});

/** GitHub's description has no such answer. */
function garbage(): void {
  oracle.stop();
  github.faults.garbage = true;
}

describe('limits and outages', () => {
  it.each<[string, () => void, number | undefined]>([
    [
      'the primary limit',
      () => github.faults.rateLimit({ limit: 5_000, remaining: 0, resetSeconds: 600 }),
      600_000,
    ],
    ['a secondary limit', () => github.faults.secondary({ retryAfterSeconds: 30 }), 30_000],
    ['a secondary limit without a time', () => github.faults.secondary(), 60_000],
    ['an outage', () => Object.assign(github.faults, { down: true }), undefined],
    ['a reset', () => Object.assign(github.faults, { reset: true }), undefined],
    ['garbage', garbage, undefined],
  ])('%s is unavailable, and ends', async (_, begin, pauseMs) => {
    const api = connect(token);
    await api.openRuns('acme/shop', never);
    begin();
    const error = await api.openRuns('acme/shop', never).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'unavailable' });
    if (pauseMs === undefined) expect(error.retryAfterMs).toBeUndefined();
    else expect(Math.abs(error.retryAfterMs - pauseMs)).toBeLessThan(5_000);
    github.faults.clear();
    aheadMs += pauseMs === undefined ? 0 : pauseMs + 5_000;
    expect((await api.openRuns('acme/shop', never)).value).toEqual([]);
  });
});

describe('an Enterprise Server', () => {
  it('has another base and no limits', async () => {
    const server = await FakeGitHub.start({
      owner: 'acme',
      app: { id: 42, installationId: 7 },
      prefix: '/api/v3',
    });
    try {
      server.addRepo('shop');
      server.startRun('shop', { jobs: [queued] });
      const auth = { kind: 'app', id: 42, privateKey: server.app?.privateKey ?? '' } as const;
      const api = connect({ apiUrl: `${server.url}/`, auth });
      expect((await api.openRuns('acme/shop', never)).value).toHaveLength(1);
      expect(api.quota).toBeUndefined();
    } finally {
      await server.close();
    }
  });
});
