import { setTimeout as sleep } from 'node:timers/promises';
import { Followers } from '../support/followers.ts';
import type { BenchKafka } from '../support/kafka.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { scaledObject } from '../support/scaled-object.ts';
import { median, quantile } from '../support/statistics.ts';

const topicsWatched = 100;
const limits = { p50Ms: 5, p99Ms: 50 };
/** The least and the most time between two trials. */
const pauseMs = { least: 20, most: 80 };
/** From the last record and its commit to the next record. */
const restMs = 1000;
/** Longer than it takes until an edge's second `true`. */
const confirmedMs = 2500;

export const wake: Row = {
  name: 'wake',
  about:
    'from the acknowledgement of a record to `true` on StreamIsActive, at quiet topics and at ones that came to rest 1 s before',
  measure,
};

async function measure({ quick, progress, checkout, kafka }: Bench): Promise<Finding[]> {
  const broker = await kafka(1);
  const topics = await broker.createTopics('wake', topicsWatched, 1);
  const scaler = await checkout.start(broker.bootstrapServers);
  const followers = new Followers(
    scaler.address,
    new Map(topics.map((topic) => [topic, scaledObject(topic)])),
  );
  const quietMs: number[] = [];
  const restedMs: number[] = [];
  try {
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      progress('waiting until every topic is quiet and watched');
      await scaler.atRest(topicsWatched);
      for (const topic of shuffled(topics)) {
        await pause();
        quietMs.push(await trial(broker, followers, topic));
      }
      progress(`${quietMs.length} wakes, p50 ${median(quietMs).toFixed(2)} ms`);
      await sleep(confirmedMs);
      const trials: Promise<number>[] = [];
      for (const topic of shuffled(topics)) {
        await pause();
        const trial = rested(broker, followers, topic);
        // Handled below. Until then a failure must not count as unhandled.
        trial.catch(() => {});
        trials.push(trial);
      }
      restedMs.push(...(await Promise.all(trials)));
      progress(`${restMs} ms after rest, p50 ${median(restedMs).toFixed(2)} ms`);
      await sleep(confirmedMs);
      await broker.drain(topics);
    }
  } finally {
    followers.close();
    await scaler.stop();
  }
  const what = 'record acknowledged to `true` on StreamIsActive';
  return [
    finding(`${what}, ${topicsWatched} quiet topics, one broker`, quietMs),
    finding(`the same, at a topic that came to rest ${restMs / 1000} s before`, restedMs),
  ];
}

function pause(): Promise<void> {
  return sleep(pauseMs.least + Math.random() * (pauseMs.most - pauseMs.least));
}

/** Resolves with the ms from the producer's acknowledgement to `true`, both in this process. */
async function trial(broker: BenchKafka, followers: Followers, topic: string): Promise<number> {
  const told = followers.nextTrue(topic);
  await broker.append(topic);
  const acknowledgedMs = performance.now();
  return (await told) - acknowledgedMs;
}

/**
 * The same for an active topic that comes to rest: a record comes, and the group commits at once. The next record comes
 * a second later, or once the trigger is inactive, because only then is it an edge.
 */
async function rested(broker: BenchKafka, followers: Followers, topic: string): Promise<number> {
  await broker.append(topic);
  await broker.drain([topic]);
  await Promise.all([followers.untilInactive(topic), sleep(restMs)]);
  return await trial(broker, followers, topic);
}

function finding(what: string, tookMs: readonly number[]): Finding {
  const p50Ms = median(tookMs);
  const p99Ms = quantile(tookMs, 0.99);
  const minMs = Math.min(...tookMs);
  const maxMs = Math.max(...tookMs);
  const measured = [
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    `(${tookMs.length} wakes, ${minMs.toFixed(2)} to ${maxMs.toFixed(1)})`,
  ];
  return {
    what,
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
