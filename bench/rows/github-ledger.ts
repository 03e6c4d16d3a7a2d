import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import type { Run } from '../../fakes/github/world/run.ts';
import { increase, sumBy, total } from '../support/exposition.ts';
import { serveGitHub, startGitHub, unlimited } from '../support/github.ts';
import { type InProcess, repositories, timeReadings } from '../support/github-ledger.ts';
import { labelsFor, pools, runners } from '../support/github-pools.ts';
import { openLoop } from '../support/load.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { metricsCall, RpcConnection } from '../support/rpc-connection.ts';
import type { ScalerProcess } from '../support/scaler.ts';
import { median, quantile } from '../support/statistics.ts';

const jobs = 200_000;
const repos = 100;
const labelSets = 50;
const jobsOfRun = 100;
const limitMs = 1;
const callsPerSecond = 200;

export const githubLedger: Row = {
  name: 'github-ledger',
  about: `answers out of a ledger of ${jobs} open jobs, beside a scan of them; webhooks/s it takes in; memory`,
  measure,
};

async function measure({ quick, progress, checkout }: Bench): Promise<Finding[]> {
  const shape = { jobs, repos: repositories(repos), pools: pools(labelSets) };
  const inProcess = timeReadings(shape, { readings: quick ? 5000 : 50_000, scans: quick ? 20 : 200 });
  progress('readings are timed; filling a scaler');
  const github = await startGitHub(repos);
  unlimited(github);
  const runs = seed(github, shape.pools);
  const startedMs = performance.now();
  const scaler = await serveGitHub(checkout, github, { firstSyncTimeoutSeconds: 0.1 });
  try {
    const connection = await RpcConnection.open(scaler.address);
    const calls = shape.pools.map((pool) => metricsCall(runners(pool)));
    for (const call of calls) await answered(connection, call);
    const syncSeconds = (performance.now() - startedMs) / 1000;
    const filledMiB = await scaler.process.residentMiB();
    progress(`synced in ${syncSeconds.toFixed(0)} s`);
    const load = { perSecond: callsPerSecond, durationMs: quick ? 3000 : 15_000 };
    await openLoop(connection, calls, { ...load, durationMs: 2000 });
    const before = await scaler.exposition();
    const answersMs = await openLoop(connection, calls, load);
    const served = servedMs(before, await scaler.exposition());
    const taken = await take(github, scaler, runs.slice(0, quick ? 20 : 150));
    const residentMiB = await scaler.process.residentMiB();
    connection.close();
    return [
      // These measure the code of this process.
      ...(checkout.own ? readingFindings(inProcess) : []),
      answersFinding(answersMs, served),
      takenFinding(taken, inProcess),
      memoryFinding({ filledMiB, residentMiB, syncSeconds }),
    ];
  } finally {
    await scaler.stop();
    await github.close();
  }
}

function seed(github: FakeGitHub, names: readonly string[]): Run[] {
  return Array.from({ length: jobs / jobsOfRun }, (_, run) => {
    const of = Array.from({ length: jobsOfRun }, (_, job) => ({
      labels: labelsFor(names[(run + job) % names.length] ?? ''),
    }));
    return github.seedRun(`repo-${run % repos}`, { jobs: of });
  });
}

/** Resolves with the first answer that is a number. None is before the end of the first sync. */
async function answered(
  connection: RpcConnection,
  call: Parameters<RpcConnection['unary']>[0],
): Promise<void> {
  const deadline = performance.now() + 180_000;
  for (;;) {
    try {
      await connection.unary(call);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}

interface Served {
  readonly meanMs: number;
  /** The part of all answers that took at most a millisecond. */
  readonly share: number;
}

/** By the scaler's own measure, without any part of the client. */
function servedMs(before: string, after: string): Served {
  const metric = 'backlog_scaler_rpc_duration_seconds';
  const added = (name: string, label: string, value: string) =>
    increase(sumBy(before, name, label), sumBy(after, name, label)).get(value) ?? 0;
  const count = added(`${metric}_count`, 'method', 'GetMetrics');
  const within = added(`${metric}_bucket`, 'le', String(limitMs / 1000));
  return { meanMs: (added(`${metric}_sum`, 'method', 'GetMetrics') * 1000) / count, share: within / count };
}

interface TakenIn {
  readonly webhooks: number;
  readonly perSecond: number;
  /** CPU time of the scaler. */
  readonly cpuMicros: number;
}

/** Lets runners pick up every job of these runs, as fast as the scaler answers. */
async function take(github: FakeGitHub, scaler: ScalerProcess, runs: readonly Run[]): Promise<TakenIn> {
  const before = total(await scaler.webhooks());
  const [startedMs, cpuBefore] = [performance.now(), await scaler.process.cpuSeconds()];
  for (const run of runs) {
    for (const { id } of run.jobs) github.pick(id);
    await github.delivered();
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const cpuSeconds = (await scaler.process.cpuSeconds()) - cpuBefore;
  const webhooks = total(await scaler.webhooks()) - before;
  return { webhooks, perSecond: webhooks / seconds, cpuMicros: (cpuSeconds * 1e6) / webhooks };
}

function readingFindings({ ofAllMs, ofNamedMs, naiveMs }: InProcess): Finding[] {
  const p50Ms = median(naiveMs);
  const naive = `a scan ${p50Ms.toFixed(1)} ms, p99 ${quantile(naiveMs, 0.99).toFixed(1)}`;
  const of = (which: string, valuesMs: readonly number[]): Finding => {
    const p99Ms = quantile(valuesMs, 0.99);
    const maxMs = Math.max(...valuesMs);
    return {
      what: `a trigger's reading of ${jobs} open jobs, ${labelSets} label sets, ${which}`,
      target: `< ${limitMs} ms`,
      measured: `p50 ${micros(median(valuesMs))}, p99 ${micros(p99Ms)} (${naive})`,
      met: p99Ms < limitMs,
      numbers: {
        p50Ms: median(valuesMs),
        p99Ms,
        maxMs,
        scanP50Ms: p50Ms,
        scanP99Ms: quantile(naiveMs, 0.99),
      },
    };
  };
  return [of('all repositories', ofAllMs), of(`${repos} repositories by name`, ofNamedMs)];
}

function answersFinding(answersMs: readonly number[], { meanMs, share }: Served): Finding {
  const [p50Ms, p99Ms] = [median(answersMs), quantile(answersMs, 0.99)];
  const client = `at the client p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
  return {
    what: `GetMetrics over ${jobs} open jobs, ${callsPerSecond} /s, at the server`,
    target: `p99 < ${limitMs} ms`,
    measured: `${(share * 100).toFixed(2)} % within ${limitMs} ms, mean ${micros(meanMs)} (${client})`,
    met: share >= 0.99,
    numbers: { shareWithinLimit: share, meanMs, clientP50Ms: p50Ms, clientP99Ms: p99Ms },
  };
}

function takenFinding({ webhooks, perSecond, cpuMicros }: TakenIn, { takeMicros }: InProcess): Finding {
  const cost = `${cpuMicros.toFixed(0)} us of CPU each, the ledger's part ${takeMicros.toFixed(1)}`;
  return {
    what: `webhooks taken in, ${labelSets} triggers, as fast as one process sends`,
    target: '-',
    measured: `${perSecond.toFixed(0)} /s (${cost})`,
    numbers: { webhooks, perSecond, cpuMicros, ledgerMicros: takeMicros },
  };
}

function memoryFinding(numbers: { filledMiB: number; residentMiB: number; syncSeconds: number }): Finding {
  const { filledMiB, residentMiB, syncSeconds } = numbers;
  return {
    what: `resident memory with ${jobs} open jobs`,
    target: '-',
    measured: `${filledMiB.toFixed(0)} MiB after a first sync of ${syncSeconds.toFixed(0)} s, ${residentMiB.toFixed(0)} after the webhooks`,
    numbers,
  };
}

function micros(ms: number): string {
  return `${(ms * 1000).toFixed(1)} us`;
}
