import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findDistribution } from '../../../fakes/kafka/distribution.ts';
import { useKafka } from '../../support/kafka/broker.ts';
import { ref } from '../../support/rpc-client.ts';
import { WholeScaler } from '../../support/whole-scaler.ts';

interface Shown {
  readonly name: string;
  readonly items: number;
  readonly value: number;
  readonly desired: number;
  readonly target: number;
  readonly detail: Record<string, number | string | boolean>;
}

describe('policy: drain, served, on a real broker', () => {
  // With statistics, because a member by the newer protocol also needs Java's compiler.
  const kafka = useKafka({ heapMiB: 256, stats: true });

  async function serve() {
    const bootstrapServers = [...kafka().cluster.bootstrap.plain];
    const scaler = await WholeScaler.start({ connections: { jobs: { source: 'kafka', bootstrapServers } } });
    const admin = `http://127.0.0.1:${scaler.port('admin')}`;
    const shown = async (name: string): Promise<Shown | undefined> => {
      const page = (await (await fetch(`${admin}/api/triggers`)).json()) as { triggers: Shown[] };
      return page.triggers.find((one) => one.name === name);
    };
    const page = async () => (await fetch(`${admin}/metrics`)).text();
    return { scaler, shown, page };
  }

  it.concurrent('has as many replicas as backlog and arrivals need, once it has seen arrivals', async () => {
    const topic = await kafka().createTopic({ partitions: 12 });
    const consumerGroup = kafka().name('group');
    const partitions = Array.from({ length: 12 }, (_, partition) => partition);
    await kafka().commit(
      consumerGroup,
      topic,
      Object.fromEntries(partitions.map((partition) => [partition, 0])),
    );
    await Promise.all(partitions.map((partition) => kafka().produce(topic, 50, { partition })));
    const { scaler, shown, page } = await serve();
    let produced = 600;
    const began = performance.now();
    const producer = setInterval(() => {
      void kafka()
        .produce(topic, 5, { partition: produced % 12 })
        .then(() => {
          produced += 5;
        });
    }, 250);
    try {
      const trigger = ref('given', {
        source: 'kafka',
        consumerGroup,
        topic,
        policy: 'drain',
        drainSeconds: '60',
        replicaRate: '6',
        headroomReplicas: '1',
        lagThreshold: '10',
      });
      // Activity is known at once, the number once arrivals have been seen.
      expect(await scaler.client.isActive(trigger)).toEqual({ result: true });
      await expect(scaler.client.getMetrics(trigger, '')).rejects.toThrow(
        /its number is not known yet: policy: drain/,
      );
      expect((await scaler.client.getMetricSpec(trigger)).metricSpecs).toMatchObject([
        { targetSize: '1', targetSizeFloat: 1 },
      ]);
      const number = async () => {
        const { metricValues } = await scaler.client.getMetrics(trigger, '');
        return metricValues[0]?.metricValueFloat ?? Number.NaN;
      };
      await expect.poll(() => number().catch(() => 0), { timeout: 60_000, interval: 250 }).toBeGreaterThan(0);
      await expect
        .poll(async () => Number((await shown('given'))?.detail['arrivalRate']), {
          timeout: 60_000,
          interval: 250,
        })
        .toBeGreaterThan(0);
      const perSecond = (produced - 600) / ((performance.now() - began) / 1000);
      const now = await shown('given');
      const arrivalRate = Number(now?.detail['arrivalRate']);
      expect(arrivalRate).toBeGreaterThan(0.5 * perSecond);
      expect(arrivalRate).toBeLessThan(2 * perSecond);
      const needed = Math.ceil(((now?.items ?? 0) / 60 + arrivalRate) / 6);
      expect(needed).toBeGreaterThan(2);
      expect(now).toMatchObject({
        target: 1,
        value: Math.min(12, needed) + 1,
        desired: Math.min(12, needed) + 1,
      });
      expect(now?.detail).toMatchObject({ ignored: 'lagThreshold', replicaRate: 6, headroomReplicas: 1 });
      expect(await page()).toMatch(
        /backlog_scaler_trigger_expected_wait_seconds\{.*scaledobject="given".*\} \d/,
      );
      // No more than partitions, with one consumer each, and the headroom on top.
      await kafka().produce(topic, 20_000, { partition: 3 });
      await expect.poll(number, { timeout: 30_000, interval: 250 }).toBe(13);
    } finally {
      clearInterval(producer);
      await scaler.stop();
    }
  });

  it.concurrent('learns the rate of a replica from a group at work', async () => {
    const topic = await kafka().createTopic({ partitions: 4 });
    const consumerGroup = kafka().name('group');
    for (let partition = 0; partition < 4; partition += 1) {
      await kafka().commit(consumerGroup, topic, { [partition]: 0 });
      await kafka().produce(topic, 10_000, { partition });
    }
    const { scaler, shown } = await serve();
    const trigger = ref('learner', {
      source: 'kafka',
      consumerGroup,
      topic,
      policy: 'drain',
      drainSeconds: '300',
      replicaRate: 'learn',
      fallbackReplicaRate: '1000',
    });
    let consumed = 0;
    const consumers = [0, 1].map(() =>
      kafka().client.consumer({ groupId: consumerGroup, heartbeatInterval: 500 }),
    );
    try {
      for (const consumer of consumers) {
        await consumer.connect();
        await consumer.subscribe({ topic });
        await consumer.run({
          autoCommitInterval: 1000,
          partitionsConsumedConcurrently: 1,
          eachMessage: async () => {
            await sleep(20);
            consumed += 1;
          },
        });
      }
      const detail = async () => {
        await scaler.client.isActive(trigger);
        return (await shown('learner'))?.detail ?? {};
      };
      await expect.poll(async () => (await detail())['members'], { timeout: 60_000, interval: 250 }).toBe(2);
      // The source reports the number of consumers, so a number is known from the start, and never below that.
      const { metricValues } = await scaler.client.getMetrics(trigger, '');
      expect(metricValues[0]?.metricValueFloat).toBeGreaterThanOrEqual(2);
      expect((await detail())['replicaRateLearned']).toBe(false);
      const from = { consumed, atMs: performance.now() };
      await expect
        .poll(async () => (await detail())['replicaRateLearned'], { timeout: 110_000, interval: 500 })
        .toBe(true);
      const perSecond = (consumed - from.consumed) / ((performance.now() - from.atMs) / 1000);
      const rate = Number((await detail())['replicaRate']);
      expect(rate).toBeGreaterThan(0.6 * (perSecond / 2));
      expect(rate).toBeLessThan(1.6 * (perSecond / 2));
    } finally {
      await Promise.all(consumers.map((consumer) => consumer.disconnect()));
      await scaler.stop();
    }
  }, 240_000);

  it.concurrent('counts the members of a group of the newer protocol (KIP-848)', async () => {
    const topic = await kafka().createTopic({ partitions: 3 });
    const consumerGroup = kafka().name('group');
    const [bootstrap = ''] = kafka().cluster.bootstrap.plain;
    const { java, classpath } = await findDistribution(() => {});
    const source = fileURLToPath(new URL('../../support/kafka/NewerConsumer.java', import.meta.url));
    const member = spawn(java, ['-cp', classpath, source, bootstrap, consumerGroup, topic], {
      stdio: 'ignore',
    });
    const { scaler, shown } = await serve();
    const trigger = ref('newer', {
      source: 'kafka',
      consumerGroup,
      topic,
      policy: 'drain',
      drainSeconds: '60',
      replicaRate: 'learn',
      fallbackReplicaRate: '10',
    });
    try {
      const members = async () => {
        await scaler.client.isActive(trigger);
        return (await shown('newer'))?.detail['members'];
      };
      await expect.poll(members, { timeout: 90_000, interval: 500 }).toBe(1);
    } finally {
      member.kill('SIGKILL');
      await scaler.stop();
    }
  });
});
