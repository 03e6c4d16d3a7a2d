import { setTimeout as sleep } from 'node:timers/promises';
import { Distance } from '../support/distance.ts';
import { total } from '../support/exposition.ts';
import { Followers } from '../support/followers.ts';
import { serveGitHub, startGitHub, unlimited } from '../support/github.ts';
import { pools, runners } from '../support/github-pools.ts';
import { Traffic } from '../support/github-traffic.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import type { ScalerProcess } from '../support/scaler.ts';
import { median, quantile } from '../support/statistics.ts';

const perSecond = 200;
const limitMs = 20;
/** How long GitHub takes to answer. Most of its real answers take longer. */
const answerMs = 25;

interface Scene {
  readonly what: string;
  readonly triggers: number;
  /** Whether a trigger is woken more than once. */
  readonly again: boolean;
  readonly repositories: number;
  /** Open runs at the start, which make the first sync long. */
  readonly runs: number;
  readonly firstSyncTimeoutSeconds: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export const githubWake: Row = {
  name: 'github-wake',
  about: `from a webhook to \`true\` on StreamIsActive, at ${perSecond} webhooks/s`,
  measure,
};

async function measure({ quick, progress, checkout }: Bench): Promise<Finding[]> {
  const synced: Scene = {
    what: 'everything synced',
    triggers: 100,
    again: true,
    repositories: 20,
    runs: 0,
    firstSyncTimeoutSeconds: 30,
    warmUpMs: 5000,
    durationMs: quick ? 5000 : 45_000,
  };
  const syncing: Scene = {
    what: 'a first sync under way',
    triggers: 300,
    again: false,
    repositories: 1500,
    runs: 500,
    // The row measures the time before the sync is done.
    firstSyncTimeoutSeconds: 0.1,
    warmUpMs: 5000,
    durationMs: quick ? 3000 : 10_000,
  };
  const findings: Finding[] = [];
  for (const scene of [synced, syncing]) findings.push(await measureScene(scene, { progress, checkout }));
  return findings;
}

async function measureScene(
  scene: Scene,
  { progress, checkout }: Pick<Bench, 'progress' | 'checkout'>,
): Promise<Finding> {
  const { triggers, again, repositories, runs, firstSyncTimeoutSeconds, warmUpMs, durationMs } = scene;
  const github = await startGitHub(repositories);
  unlimited(github);
  const jobs = Array.from({ length: 5 }, () => ({ labels: ['ubuntu-latest'] }));
  for (let run = 0; run < runs; run++) github.seedRun(`repo-${run % repositories}`, { jobs });
  const rest = await Distance.to(github.url, answerMs);
  const scaler = await serveGitHub(checkout, github, { firstSyncTimeoutSeconds, apiUrl: rest.url });
  const names = pools(triggers);
  const followers = new Followers(scaler.address, new Map(names.map((pool) => [pool, runners(pool)])));
  try {
    await streamsAreOpen(scaler, triggers);
    const traffic = new Traffic(github, {
      followers,
      pools: names,
      repositories: Math.min(repositories, 20),
      again,
    });
    await Promise.all(await traffic.run({ perSecond, durationMs: warmUpMs }));
    const before = await counted(scaler);
    const startedMs = performance.now();
    const wakes = await traffic.run({ perSecond, durationMs });
    const seconds = (performance.now() - startedMs) / 1000;
    const after = await counted(scaler);
    const tookMs = await Promise.all(wakes);
    await traffic.over();
    const webhooksPerSecond = (after.webhooks - before.webhooks) / seconds;
    const requestsPerSecond = (after.requests - before.requests) / seconds;
    if (runs > 0 && after.requests >= repositories)
      throw new Error('the first sync was done before the end: it needs more repositories');
    progress(`${scene.what}: ${tookMs.length} wakes, p50 ${median(tookMs).toFixed(2)} ms`);
    return finding(scene, { tookMs, webhooksPerSecond, requestsPerSecond });
  } finally {
    followers.close();
    await scaler.stop();
    await rest.close();
    await github.close();
  }
}

interface Measured {
  readonly tookMs: readonly number[];
  readonly webhooksPerSecond: number;
  readonly requestsPerSecond: number;
}

function finding(
  { what, triggers }: Scene,
  { tookMs, webhooksPerSecond, requestsPerSecond }: Measured,
): Finding {
  const p50Ms = median(tookMs);
  const p99Ms = quantile(tookMs, 0.99);
  const maxMs = Math.max(...tookMs);
  const measured = [
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms, max ${maxMs.toFixed(1)}`,
    `(${tookMs.length} wakes, ${webhooksPerSecond.toFixed(0)} webhooks/s)`,
  ];
  return {
    what: `webhook posted to \`true\` on StreamIsActive, ${triggers} triggers, ${what}`,
    target: `p99 <= ${limitMs} ms`,
    measured: measured.join(' '),
    met: p99Ms <= limitMs,
    numbers: { p50Ms, p99Ms, maxMs, wakes: tookMs.length, webhooksPerSecond, requestsPerSecond },
  };
}

async function streamsAreOpen(scaler: ScalerProcess, count: number): Promise<void> {
  const open = `backlog_scaler_streams{rpc="StreamIsActive"} ${count}\n`;
  const deadline = performance.now() + 10_000;
  while (!(await scaler.exposition()).includes(open)) {
    if (performance.now() > deadline) throw new Error('the streams are not open after 10 s');
    await sleep(50);
  }
}

async function counted(scaler: ScalerProcess): Promise<{ webhooks: number; requests: number }> {
  const [taken, asked] = await Promise.all([scaler.webhooks(), scaler.upstreamRequests()]);
  const refused = [...taken].filter(([outcome]) => outcome !== 'accepted');
  if (refused.length > 0) throw new Error(`webhooks were not taken: ${refused.join(', ')}`);
  return { webhooks: total(taken), requests: total(asked) };
}
