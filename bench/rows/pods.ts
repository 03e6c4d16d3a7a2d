import { type NatsCluster, startNats } from '../../fakes/nats/cluster.ts';
import { goTool } from '../../test/support/tools/go.ts';
import { Followers } from '../support/followers.ts';
import { serveGitHub, startGitHub, unlimited } from '../support/github.ts';
import { pools, runners } from '../support/github-pools.ts';
import { Traffic } from '../support/github-traffic.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { BenchSqs, queueName, serveSqs, worker } from '../support/sqs.ts';
import { median, quantile } from '../support/statistics.ts';
import { Waking } from './sqs-hint.ts';

const webhooksPerSecond = 200;
const webhookLimitMs = 50;
const hintLimitMs = 200;
const queues = 300;
const warmUpMs = 5_000;

export const pods: Row = {
  name: 'pods',
  about: 'two pods over NATS: from a webhook or a hint to one of them to `true` from the other',
  measure,
};

async function measure(bench: Bench): Promise<Finding[]> {
  const nats = await startNats({ program: await goTool('nats-server') });
  try {
    return [await webhooks(bench, nats), await hints(bench, nats)];
  } finally {
    await nats.stop();
  }
}

/** Webhooks go to one pod, KEDA's streams to the other. */
async function webhooks({ quick, progress, checkout }: Bench, nats: NatsCluster): Promise<Finding> {
  const repositories = 20;
  const github = await startGitHub(repositories);
  unlimited(github);
  const more = eventLogOf(nats, 'webhooks');
  const serve = (hooked: boolean) =>
    serveGitHub(checkout, github, { firstSyncTimeoutSeconds: 30, hooked, more });
  const a = await serve(true);
  const b = await serve(false);
  const names = pools(100);
  const followers = new Followers(b.address, new Map(names.map((pool) => [pool, runners(pool)])));
  try {
    const traffic = new Traffic(github, { followers, pools: names, repositories, again: true });
    const run = (durationMs: number) => traffic.run({ perSecond: webhooksPerSecond, durationMs });
    await Promise.all(await run(warmUpMs));
    const tookMs = await Promise.all(await run(quick ? 5_000 : 45_000));
    await traffic.over();
    progress(`webhooks: ${tookMs.length} wakes, p50 ${median(tookMs).toFixed(2)} ms`);
    return finding(
      `webhook posted to one pod to \`true\` from the other, ${webhooksPerSecond}/s`,
      webhookLimitMs,
      tookMs,
    );
  } finally {
    followers.close();
    await Promise.all([a.stop(), b.stop()]);
    await github.close();
  }
}

async function hints({ quick, progress, checkout }: Bench, nats: NatsCluster): Promise<Finding> {
  const sqs = await BenchSqs.start();
  const serve = () => serveSqs(checkout, sqs, {}, eventLogOf(nats, 'hints'));
  const [a, b] = await Promise.all([serve(), serve()]);
  const names = Array.from({ length: queues }, (_, index) => queueName(index));
  const followers = new Followers(b.address, new Map(names.map((name) => [name, worker(name)])));
  const waking = new Waking(sqs, b, followers, a);
  try {
    await waking.allInactive(names);
    await Promise.all(await waking.run(names, warmUpMs));
    const tookMs = await Promise.all(await waking.run(names, quick ? 5_000 : 60_000));
    progress(`hints: ${tookMs.length} wakes, p50 ${median(tookMs).toFixed(2)} ms`);
    return finding('hint posted to one pod to `true` from the other', hintLimitMs, tookMs);
  } finally {
    waking.stop();
    followers.close();
    await Promise.all([a.stop(), b.stop()]);
    await sqs.stop();
  }
}

function eventLogOf(nats: NatsCluster, stream: string): object {
  return { eventLog: { type: 'nats', servers: nats.urls, stream } };
}

function finding(what: string, limitMs: number, tookMs: readonly number[]): Finding {
  const p50Ms = median(tookMs);
  const p99Ms = quantile(tookMs, 0.99);
  const maxMs = Math.max(...tookMs);
  return {
    what,
    target: `p99 <= ${limitMs} ms`,
    measured: `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms, max ${maxMs.toFixed(1)} (${tookMs.length} wakes)`,
    met: p99Ms <= limitMs,
    numbers: { p50Ms, p99Ms, maxMs, wakes: tookMs.length },
  };
}
