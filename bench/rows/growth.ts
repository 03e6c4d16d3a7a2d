import { total } from '../support/exposition.ts';
import { inParallel } from '../support/in-parallel.ts';
import type { BenchKafka } from '../support/kafka.ts';
import { openLoop } from '../support/load.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import * as rpc from '../support/rpc-connection.ts';
import { scaledObject } from '../support/scaled-object.ts';
import { scrape } from '../support/scrape.ts';
import { median, quantile } from '../support/statistics.ts';

const subjects = 100;
const perSecond = 1000;

export const growth: Row = {
  name: 'growth',
  about: 'what grows with ScaledObjects, and by which power: 1,000, 5,000 and 10,000 of them on 100 groups',
  slow: true,
  measure,
};

/** The measured costs at a size, under the same load. */
interface Costs {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly residentMiB: number;
  readonly tickP99Ms: number;
  readonly gcPercent: number;
  readonly cpuPercent: number;
  readonly requestsPerSecond: number;
  readonly scrapeMs: number;
}

const names: Readonly<Record<keyof Costs, readonly [what: string, unit: string, digits: number]>> = {
  p50Ms: ['unary p50', 'ms', 2],
  p99Ms: ['unary p99', 'ms', 2],
  residentMiB: ['resident memory', 'MiB', 0],
  tickP99Ms: ['event-loop delay, p99 of a timer of 1 ms', 'ms', 2],
  gcPercent: ['time in garbage collection', '%', 2],
  cpuPercent: ['CPU of the scaler', '% of a core', 0],
  requestsPerSecond: ['upstream requests', '/s', 2],
  scrapeMs: ['a scrape', 'ms', 0],
};

async function measure({ quick, progress, checkout, kafka }: Bench): Promise<Finding[]> {
  const sizes = quick ? [200, 1000, 2000] : [1000, 5000, 10_000];
  const broker = await kafka(1);
  const topics = await broker.createTopics('growth', subjects, 1);
  const measured: Costs[] = [];
  for (const size of sizes) {
    progress(`${size} ScaledObjects`);
    measured.push(await costsOf({ quick, checkout, broker, topics, size }));
    await broker.drain(topics);
  }
  return Object.entries(names).map(([key, [what, unit, digits]]) => {
    // The keys of `names` are those of Costs.
    const values = measured.map((costs) => costs[key as keyof Costs]);
    const exponent = exponentOf(sizes, values);
    return {
      what: `${what} at ${sizes.join(', ')} ScaledObjects with two streams, ${perSecond} RPC/s, half of ${subjects} groups active`,
      target: '-',
      measured: `${values.map((value) => value.toFixed(digits)).join(', ')} ${unit}: grows as n^${exponent.toFixed(2)}`,
      numbers: {
        exponent,
        ...Object.fromEntries(sizes.map((size, index) => [`at${size}`, values[index] ?? Number.NaN])),
      },
    };
  });
}

interface Scene extends Pick<Bench, 'quick' | 'checkout'> {
  readonly broker: BenchKafka;
  readonly topics: readonly string[];
  readonly size: number;
}

async function costsOf({ quick, checkout, broker, topics, size }: Scene): Promise<Costs> {
  const references = topics.flatMap((topic) =>
    Array.from({ length: size / subjects }, (_, number) => scaledObject(topic, number)),
  );
  const scaler = await checkout.start(broker.bootstrapServers, { probed: true });
  const connection = await rpc.RpcConnection.open(scaler.address);
  try {
    await inParallel(200, references, async (reference) => {
      await connection.hold(rpc.specStream(reference));
      await connection.hold(rpc.activityStream(reference));
    });
    await scaler.atRest(subjects);
    await broker.appendToAll(topics.slice(subjects / 2));
    const calls = references.flatMap((reference) => [
      rpc.metricSpecCall(reference),
      rpc.metricsCall(reference),
      rpc.isActiveCall(reference),
    ]);
    // By then the code is compiled.
    await openLoop(connection, calls, { perSecond, durationMs: 5000 });
    const durationMs = quick ? 5000 : 30_000;
    const before = {
      cpu: await scaler.process.cpuSeconds(),
      requests: total(await scaler.upstreamRequests()),
    };
    await scaler.process.load();
    const startedMs = performance.now();
    const [answersMs, scraped] = await Promise.all([
      openLoop(connection, calls, { perSecond, durationMs }),
      scrape(scaler.metricsUrl),
    ]);
    const seconds = (performance.now() - startedMs) / 1000;
    const { gcShare, tickP99Ms } = await scaler.process.load();
    return {
      p50Ms: median(answersMs),
      p99Ms: quantile(answersMs, 0.99),
      residentMiB: await scaler.process.residentMiB(),
      tickP99Ms,
      gcPercent: gcShare * 100,
      cpuPercent: ((await scaler.process.cpuSeconds()) - before.cpu) * (100 / seconds),
      requestsPerSecond: (total(await scaler.upstreamRequests()) - before.requests) / seconds,
      scrapeMs: scraped.tookMs,
    };
  } finally {
    connection.close();
    await scaler.stop();
  }
}

/** The power of the sizes that fits the values best, by least squares of their logarithms. 0 counts as almost nothing. */
function exponentOf(sizes: readonly number[], values: readonly number[]): number {
  const points = sizes.map(
    (size, index) => [Math.log(size), Math.log(Math.max(values[index] ?? 0, 1e-6))] as const,
  );
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
