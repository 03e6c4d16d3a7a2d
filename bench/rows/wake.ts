import { setTimeout as sleep } from 'node:timers/promises';
import { Followers } from '../support/followers.ts';
import type { BenchKafka } from '../support/kafka.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { scaledObject } from '../support/scaled-object.ts';
import { ScalerProcess } from '../support/scaler.ts';
import { median, quantile } from '../support/statistics.ts';

const topicsWatched = 100;
const limits = { p50Ms: 5, p99Ms: 50 };
/** The least and the most time between two trials. */
const pauseMs = { least: 20, most: 80 };

export const wake: Row = {
  name: 'wake',
  about: 'from the acknowledgement of a record to `true` on StreamIsActive',
  measure,
};

async function measure({ quick, progress, kafka }: Bench): Promise<Finding[]> {
  const broker = await kafka(1);
  const topics = await broker.createTopics('wake', topicsWatched, 1);
  const scaler = await ScalerProcess.start(broker.bootstrapServers);
  const followers = new Followers(
    scaler.address,
    new Map(topics.map((topic) => [topic, scaledObject(topic)])),
  );
  const tookMs: number[] = [];
  try {
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      progress('waiting until every topic is quiet and watched');
      await scaler.atRest(topicsWatched);
      for (const topic of shuffled(topics)) {
        await sleep(pauseMs.least + Math.random() * (pauseMs.most - pauseMs.least));
        tookMs.push(await trial(broker, followers, topic));
      }
      progress(`${tookMs.length} wakes, p50 ${median(tookMs).toFixed(2)} ms`);
      // Past the confirming `true` of the last one.
      await sleep(2500);
      await broker.drain(topics);
    }
  } finally {
    followers.close();
    await scaler.stop();
  }
  return [finding(tookMs)];
}

/** Gives the ms from the acknowledgement, as the producer sees it, to `true`; both are in this process. */
async function trial(broker: BenchKafka, followers: Followers, topic: string): Promise<number> {
  const told = followers.nextTrue(topic);
  await broker.append(topic);
  const acknowledgedMs = performance.now();
  return (await told) - acknowledgedMs;
}

function finding(tookMs: readonly number[]): Finding {
  const p50Ms = median(tookMs);
  const p99Ms = quantile(tookMs, 0.99);
  const minMs = Math.min(...tookMs);
  const maxMs = Math.max(...tookMs);
  const measured = [
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    `(${tookMs.length} wakes, ${minMs.toFixed(2)} to ${maxMs.toFixed(1)})`,
  ];
  return {
    what: `record acknowledged to \`true\` on StreamIsActive, ${topicsWatched} quiet topics, one broker`,
    target: `p50 <= ${limits.p50Ms} ms, p99 <= ${limits.p99Ms} ms`,
    measured: measured.join(' '),
    met: p50Ms <= limits.p50Ms && p99Ms <= limits.p99Ms,
    numbers: { p50Ms, p99Ms, minMs, maxMs, wakes: tookMs.length },
  };
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
