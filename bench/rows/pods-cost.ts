import { setTimeout as sleep } from 'node:timers/promises';
import { increase, total } from '../support/exposition.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { metricsCall, RpcConnection } from '../support/rpc-connection.ts';
import { scaledObject } from '../support/scaled-object.ts';
import type { ScalerProcess } from '../support/scaler.ts';
import { BenchSqs, queueName, serveSqs, worker } from '../support/sqs.ts';

const topicCount = 200;
const partitions = 3;
const queues = 10;
const most = 3;
const appendEveryMs = 5_000;
/** How often KEDA calls each pod for each trigger while it has zero replicas. */
const pollEveryMs = 10_000;

export const podsCost: Row = {
  name: 'pods-cost',
  about: `requests of 1 to ${most} pods, each of which reads for itself: ${topicCount} Kafka topics, ${queues} SQS queues`,
  slow: true,
  measure: async (bench) => [...(await measureKafka(bench)), ...(await measureSqs(bench))],
};

async function measureKafka({ quick, checkout, kafka: start, progress }: Bench): Promise<Finding[]> {
  const kafka = await start(1);
  const topics = await kafka.createTopics('pods', topicCount, partitions);
  const references = topics.map((topic) => scaledObject(topic));
  const windowMs = quick ? 30_000 : 60_000;
  const findings: Finding[] = [];
  for (let count = 1; count <= most; count++) {
    const pods = await startPods(count, () => checkout.start(kafka.bootstrapServers));
    const stopAsking = await askAll(pods, references);
    try {
      await Promise.all(pods.map((pod) => pod.atRest(topicCount)));
      const quiet = await requestsPerSecond(pods, windowMs);
      const stopAppending = kafka.keepAppending(topics, appendEveryMs);
      await sleep(appendEveryMs);
      const active = await requestsPerSecond(pods, windowMs / 2);
      await stopAppending();
      await kafka.drain(topics);
      progress(`kafka, ${count} pods: quiet ${quiet.toFixed(2)}/s, active ${active.toFixed(2)}/s`);
      findings.push({
        what: `Kafka requests, ${topicCount} ScaledObjects, ${topicCount * partitions} partitions, 1 broker, ${count} pods`,
        target: '-',
        measured: `quiet ${quiet.toFixed(2)} /s, active ${active.toFixed(2)} /s`,
        numbers: { pods: count, quietPerSecond: quiet, activePerSecond: active },
      });
    } finally {
      await stopAsking();
      await Promise.all(pods.map((pod) => pod.stop()));
    }
  }
  return findings;
}

async function measureSqs({ quick, checkout, progress }: Bench): Promise<Finding[]> {
  const sqs = await BenchSqs.start();
  const references = Array.from({ length: queues }, (_, index) => worker(queueName(index)));
  const findings: Finding[] = [];
  try {
    for (let index = 0; index < queues; index++) await sqs.setMessages(queueName(index), 0);
    for (let count = 1; count <= most; count++) {
      const pods = await startPods(count, () => serveSqs(checkout, sqs));
      const stopAsking = await askAll(pods, references);
      try {
        await sleep(5_000);
        const perSecond = await requestsPerSecond(pods, quick ? 20_000 : 60_000);
        const perDay = Math.round(perSecond * 86_400);
        const usdPerMonth = (perDay * 30 * 0.4) / 1e6;
        progress(`sqs, ${count} pods: ${perDay} a day`);
        findings.push({
          what: `SQS requests a day, ${queues} empty queues, ${count} pods`,
          target: '-',
          measured: `${perDay.toLocaleString('en-US')}, or $${usdPerMonth.toFixed(2)} a month`,
          numbers: { pods: count, perDay, usdPerMonth },
        });
      } finally {
        await stopAsking();
        await Promise.all(pods.map((pod) => pod.stop()));
      }
    }
  } finally {
    await sqs.stop();
  }
  return findings;
}

function startPods(count: number, start: () => Promise<ScalerProcess>): Promise<ScalerProcess[]> {
  return Promise.all(Array.from({ length: count }, start));
}

/**
 * Calls every pod for every trigger, again and again until the result is called. KEDA's round-robin reaches all of them.
 */
async function askAll(
  pods: readonly ScalerProcess[],
  references: readonly Parameters<typeof metricsCall>[0][],
): Promise<() => Promise<void>> {
  const connections = await Promise.all(pods.map(({ address }) => RpcConnection.open(address)));
  const calls = references.map((reference) => metricsCall(reference));
  let over = false;
  const ask = async (): Promise<void> => {
    for (const call of calls) await Promise.all(connections.map((one) => one.unary(call).catch(() => 0)));
  };
  await ask();
  const loop = (async () => {
    while (!over) {
      await sleep(pollEveryMs);
      if (!over) await ask();
    }
  })();
  return async () => {
    over = true;
    await loop;
    for (const connection of connections) connection.close();
  };
}

async function requestsPerSecond(pods: readonly ScalerProcess[], windowMs: number): Promise<number> {
  const count = async (pod: ScalerProcess) => ({ pod, before: await pod.upstreamRequests() });
  const before = await Promise.all(pods.map(count));
  const startedMs = performance.now();
  await sleep(windowMs);
  const seconds = (performance.now() - startedMs) / 1000;
  let sum = 0;
  for (const { pod, before: counts } of before) sum += total(increase(counts, await pod.upstreamRequests()));
  return sum / seconds;
}
