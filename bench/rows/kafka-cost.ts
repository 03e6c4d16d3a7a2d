import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkout } from '../support/checkout.ts';
import { increase, total } from '../support/exposition.ts';
import type { BenchKafka } from '../support/kafka.ts';
import { evaluationsAMinute, startKedaWay } from '../support/keda.ts';
import { openLoop } from '../support/load.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { activityStream, type Call, metricsCall, RpcConnection } from '../support/rpc-connection.ts';
import { scaledObject } from '../support/scaled-object.ts';
import { type Baseline, baselineOf, type Cost, costOf, listed } from '../support/window.ts';

const stem = 'cost';
const scaledObjects = 1000;
const partitions = 3;
const idleCpuPercent = 2;
/** The time over which ScaledObjects arrive. */
const arrivalMs = 20_000;
/** While topics are active, each gets a record this often, so that none goes quiet. */
const appendEveryMs = 5000;

/** The cost of 1,000 ScaledObjects for a cluster. On one broker also the cost of KEDA's own way. */
export function kafkaCost(brokers: 1 | 3): Row {
  const compared = brokers === 1 ? ', idle CPU, and the same by a client for each ScaledObject' : '';
  return {
    name: `kafka-${brokers}`,
    about: `requests and CPU of ${scaledObjects} ScaledObjects on ${brokers} broker${brokers > 1 ? 's' : ''}${compared}`,
    slow: brokers === 3,
    measure: (bench) => measure(brokers, bench),
  };
}

async function measure(
  brokers: 1 | 3,
  { quick, progress, checkout, kafka: start }: Bench,
): Promise<Finding[]> {
  const kafka = await start(brokers);
  progress(`making ${scaledObjects} topics`);
  const topics = await kafka.createTopics(stem, scaledObjects, partitions);
  const baseline = await baselineOf(kafka, 15_000);
  // A whole number of reconciles, which come every 30 s.
  const windows = { quietMs: quick ? 30_000 : 60_000, activeMs: quick ? 15_000 : 30_000 };
  const run: Run = { checkout, kafka, baseline, topics, progress, windows };
  const ours = await measureOurs(run);
  const findings = [...targets(brokers, ours)];
  if (brokers === 1) findings.push(...comparisons(ours, await measureKeda(run)));
  return findings;
}

interface Run {
  readonly checkout: Checkout;
  readonly kafka: BenchKafka;
  readonly baseline: Baseline;
  readonly topics: readonly string[];
  readonly windows: { readonly quietMs: number; readonly activeMs: number };
  progress(line: string): void;
}

interface Costs {
  readonly quiet: Cost;
  readonly active: Cost;
}

interface OurCosts extends Costs {
  /** Quiet, but with as many calls as KEDA makes. */
  readonly asked: Cost;
  /** Requests a second by our own count, in the same windows. */
  readonly counted: { readonly quiet: number; readonly active: number };
}

async function measureOurs({ checkout, kafka, baseline, topics, progress, windows }: Run): Promise<OurCosts> {
  const scaler = await checkout.start(kafka.bootstrapServers);
  const connection = await RpcConnection.open(scaler.address);
  const calls = topics.map((topic) => metricsCall(scaledObject(topic)));
  const cost = async (meanwhile: Promise<unknown>) => {
    const before = await scaler.upstreamRequests();
    const cost = await costOf({ kafka, client: scaler.process, baseline }, meanwhile);
    const counted = total(increase(before, await scaler.upstreamRequests())) / cost.seconds;
    progress(`${cost.seconds.toFixed(0)} s: ${listed(cost.byRequest)}`);
    return { cost, counted };
  };
  try {
    for (const topic of topics) {
      await Promise.all([
        connection.hold(activityStream(scaledObject(topic))),
        sleep(arrivalMs / topics.length),
      ]);
    }
    progress('waiting until every topic is quiet and watched');
    await scaler.atRest(topics.length);
    const quiet = await cost(sleep(windows.quietMs));
    const asked = await cost(poll(connection, calls, evaluationsAMinute.quiet, windows.activeMs));
    const stopAppending = kafka.keepAppending(topics, appendEveryMs);
    await sleep(appendEveryMs);
    const active = await cost(poll(connection, calls, evaluationsAMinute.active, windows.activeMs));
    await stopAppending();
    await kafka.drain(topics);
    const counted = { quiet: quiet.counted, active: active.counted };
    return { quiet: quiet.cost, asked: asked.cost, active: active.cost, counted };
  } finally {
    connection.close();
    await scaler.stop();
  }
}

async function poll(connection: RpcConnection, calls: readonly Call[], aMinute: number, durationMs: number) {
  await openLoop(connection, calls, { perSecond: (calls.length * aMinute) / 60, durationMs });
}

async function measureKeda({ kafka, baseline, topics, progress, windows }: Run): Promise<Costs> {
  progress(`connecting a client for each of ${topics.length} ScaledObjects`);
  const [bootstrapServer = ''] = kafka.bootstrapServers;
  const client = await startKedaWay(bootstrapServer, { stem, count: topics.length, partitions });
  const cost = async (evaluations: number) => {
    client.tell({ evaluationsAMinute: evaluations });
    const cost = await costOf({ kafka, client, baseline }, sleep(windows.activeMs));
    progress(`${cost.seconds.toFixed(0)} s: ${listed(cost.byRequest)}`);
    return cost;
  };
  try {
    const quiet = await cost(evaluationsAMinute.quiet);
    const stopAppending = kafka.keepAppending(topics, appendEveryMs);
    const active = await cost(evaluationsAMinute.active);
    await stopAppending();
    return { quiet, active };
  } finally {
    await client.stop();
  }
}

function targets(brokers: number, { quiet, active, counted }: OurCosts): Finding[] {
  const where = `${scaledObjects} ScaledObjects, ${scaledObjects * partitions} partitions, B = ${brokers}`;
  const most = { quiet: 0.3 * brokers + (0.1 * scaledObjects * partitions) / 1000, active: 2.5 * brokers };
  const requests = (state: 'quiet' | 'active', cost: Cost): Finding => ({
    what: `upstream requests, ${state}: ${where}`,
    target: `<= ${most[state].toFixed(1)} /s`,
    measured: `${cost.requestsPerSecond.toFixed(2)} /s (by our own count ${counted[state].toFixed(2)})`,
    met: cost.requestsPerSecond <= most[state],
    numbers: { ...numbersOf(cost), ownCountPerSecond: counted[state] },
  });
  const idle: Finding = {
    what: `idle CPU with ${scaledObjects} watched topics, B = ${brokers}`,
    target: `<= ${idleCpuPercent} % of a core`,
    measured: `${quiet.clientCpuPercent.toFixed(2)} %`,
    met: quiet.clientCpuPercent <= idleCpuPercent,
    numbers: { cpuPercent: quiet.clientCpuPercent },
  };
  return [requests('quiet', quiet), requests('active', active), idle];
}

function comparisons(ours: OurCosts, keda: Costs): Finding[] {
  const compare = (state: 'quiet' | 'active', mine: Cost): Finding => {
    const theirs = keda[state];
    const parts = [
      `${theirs.requestsPerSecond.toFixed(1)} against ${mine.requestsPerSecond.toFixed(2)} requests/s`,
      `${theirs.connections} against ${mine.connections} connections`,
      `broker ${theirs.brokerCpuPercent.toFixed(1)} against ${mine.brokerCpuPercent.toFixed(1)} % CPU`,
      `client ${theirs.clientCpuPercent.toFixed(1)} against ${mine.clientCpuPercent.toFixed(1)} %`,
    ];
    return {
      what: `a client for each ScaledObject (KEDA's way) against ours, ${state}, ${evaluationsAMinute[state]} evaluations/min`,
      target: '-',
      measured: parts.join(', '),
      numbers: { ...prefixed('keda', numbersOf(theirs)), ...prefixed('ours', numbersOf(mine)) },
    };
  };
  return [compare('quiet', ours.asked), compare('active', ours.active)];
}

function numbersOf(cost: Cost): Record<string, number> {
  const { requestsPerSecond, connections, brokerCpuPercent, clientCpuPercent } = cost;
  return { requestsPerSecond, connections, brokerCpuPercent, clientCpuPercent };
}

function prefixed(prefix: string, numbers: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`${prefix}.${name}`, value]));
}
