import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import { startBare } from '../support/bare.ts';
import { inParallel } from '../support/in-parallel.ts';
import { openLoop } from '../support/load.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import * as rpc from '../support/rpc-connection.ts';
import { scaledObject } from '../support/scaled-object.ts';
import { type Scrape, scrape } from '../support/scrape.ts';
import { median, quantile } from '../support/statistics.ts';

const scaledObjects = 10_000;
const subjects = 100;
const perSecond = 1000;
const limits = { ratio: 1.25, residentMiB: 350 };

export const latency: Row = {
  name: 'latency',
  about: 'unary p99 and memory at 1,000 RPC/s, with 10,000 ScaledObjects and 20,000 streams',
  measure,
};

async function measure({ quick, progress, checkout, kafka }: Bench): Promise<Finding[]> {
  const broker = await kafka(1);
  const topics = await broker.createTopics('latency', subjects, 1);
  const references = topics.flatMap((topic) =>
    Array.from({ length: scaledObjects / subjects }, (_, number) => scaledObject(topic, number)),
  );
  const [scaler, bare] = await Promise.all([checkout.start(broker.bootstrapServers), startBare()]);
  try {
    progress('opening the streams');
    const ours = await connect(scaler.address, references);
    const theirs = await connect(bare.address, references);
    await scaler.atRest(subjects);
    // Half of the subjects get work, so they are read every second all the time.
    await broker.appendToAll(topics.slice(subjects / 2));
    const calls = callsOf(references);
    const load = { perSecond, durationMs: quick ? 5000 : 15_000 };
    await openLoop(theirs, calls, load);
    await openLoop(ours, calls, load);
    const rounds: Round[] = [];
    for (let round = 0; round < (quick ? 3 : 5); round++) {
      const bareMs = await openLoop(theirs, calls, load);
      const [oursMs, scraped] = await Promise.all([openLoop(ours, calls, load), scrape(scaler.metricsUrl)]);
      const oursMiB = await scaler.process.residentMiB();
      const bareMiB = await bare.process.residentMiB();
      rounds.push({ bareMs, oursMs, scraped, oursMiB, bareMiB });
      progress(`p99 bare ${p99(bareMs).toFixed(2)} ms, ours ${p99(oursMs).toFixed(2)} ms`);
    }
    ours.close();
    theirs.close();
    return findings(rounds);
  } finally {
    await Promise.all([scaler.stop(), bare.process.stop()]);
  }
}

/** A round of each server. Ours is also scraped. */
interface Round {
  readonly bareMs: readonly number[];
  readonly oursMs: readonly number[];
  readonly scraped: Scrape;
  readonly bareMiB: number;
  readonly oursMiB: number;
}

/** Two streams for each ScaledObject, all on one connection. */
async function connect(address: string, references: readonly ScaledObjectRef[]): Promise<rpc.RpcConnection> {
  const connection = await rpc.RpcConnection.open(address);
  await inParallel(200, references, async (reference) => {
    await connection.hold(rpc.specStream(reference));
    await connection.hold(rpc.activityStream(reference));
  });
  return connection;
}

/** The calls of KEDA for a ScaledObject in one poll (external_scaler.go and scale_handler.go, v2.21). */
function callsOf(references: readonly ScaledObjectRef[]): rpc.Call[] {
  return references.flatMap((reference) => [
    rpc.metricSpecCall(reference),
    rpc.metricsCall(reference),
    rpc.isActiveCall(reference),
  ]);
}

function p99(valuesMs: readonly number[]): number {
  return quantile(valuesMs, 0.99);
}

function findings(rounds: readonly Round[]): Finding[] {
  const oursP99Ms = median(rounds.map(({ oursMs }) => p99(oursMs)));
  const bareP99Ms = median(rounds.map(({ bareMs }) => p99(bareMs)));
  const oursP50Ms = median(rounds.map(({ oursMs }) => median(oursMs)));
  const bareP50Ms = median(rounds.map(({ bareMs }) => median(bareMs)));
  const ratio = median(rounds.map((round) => p99(round.oursMs) / p99(round.bareMs)));
  const oursMiB = Math.max(...rounds.map((round) => round.oursMiB));
  const bareMiB = Math.max(...rounds.map((round) => round.bareMiB));
  const scrapeMs = median(rounds.map(({ scraped }) => scraped.tookMs));
  const scrapeMiB = median(rounds.map(({ scraped }) => scraped.bytes)) / 2 ** 20;
  const under = `${perSecond} RPC/s, ${scaledObjects} ScaledObjects, ${scaledObjects * 2} streams`;
  return [
    {
      what: `unary p99 at ${under}, with scrapes, against a bare grpc-js server`,
      target: `<= ${limits.ratio} x`,
      measured: `${ratio.toFixed(2)} x (${oursP99Ms.toFixed(2)} against ${bareP99Ms.toFixed(2)} ms)`,
      met: ratio <= limits.ratio,
      numbers: { ratio, oursP99Ms, bareP99Ms, oursP50Ms, bareP50Ms },
    },
    {
      what: 'resident memory under it',
      target: `<= ${limits.residentMiB} MiB`,
      measured: `${oursMiB.toFixed(0)} MiB (bare ${bareMiB.toFixed(0)})`,
      met: oursMiB <= limits.residentMiB,
      numbers: { oursMiB, bareMiB },
    },
    {
      what: 'a scrape under it',
      target: '-',
      measured: `${scrapeMs.toFixed(0)} ms for ${scrapeMiB.toFixed(1)} MiB`,
      numbers: { scrapeMs, scrapeMiB },
    },
  ];
}
