import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { useKafka } from '../support/kafka/broker.ts';
import { region } from '../support/sqs/region.ts';
import { makeNamespace, makeSecret } from './objects.ts';
import { Release } from './release.ts';
import { Replicas } from './replicas.ts';
import { makeScaledObject, setReplicas } from './scaled.ts';
import { Scaler } from './scaler.ts';
import { printWaits } from './table.ts';
import { useRunningCluster } from './use-cluster.ts';
import { useSqsServer } from './use-sqs-server.ts';

/** Of queues, and of topics. */
const count = 10;
const waitMs = 120_000;
const measured = 'KEDA 2.21, pollingInterval 30';
/** The replicas that a queue's messages need. */
const most = 4;
/** Between two of them. */
const pauseMs = 2500;
const keys = { awsAccessKeyID: 'id', awsSecretAccessKey: 'key' };
const longAtRestMs = 20_000;
const justAtRestMs = 1000;
/** Longer than it takes until an edge's second `true`. */
const confirmedMs = 3000;
/** Each queue or topic has one workload for our trigger, and one for KEDA's own. */
const whose = ['ours', 'keda'] as const;

describe('how long a workload without replicas sleeps', () => {
  const cluster = useRunningCluster();
  const sqs = useSqsServer();
  const kafka = useKafka();

  it("with this scaler, and with KEDA's own for the same queues", async () => {
    const { api } = cluster();
    const { queues, url } = sqs();
    const shop = await makeNamespace(api, 'queues');
    const release = new Release(
      cluster(),
      'helm-4',
      await makeNamespace(api, 'queue-scalers', { restricted: true }),
    );
    const scaler = await Scaler.prepare(api, release.namespace, { sqs: url });
    await release.apply(scaler.values, '--wait', '--timeout', '60s');
    await makeSecret(api, shop, 'aws', { id: 'reader', key: 'reader' });
    const secretTargetRef = Object.entries(keys).map(([parameter, key]) => ({ parameter, name: 'aws', key }));
    await api.create(`/apis/keda.sh/v1alpha1/namespaces/${shop}/triggerauthentications`, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'TriggerAuthentication',
      metadata: { name: 'aws' },
      spec: { secretTargetRef },
    });
    const all = await Promise.all(Array.from({ length: count }, () => queues.create()));
    for (const queue of all) {
      const trigger = scaler.trigger(queues, queue);
      const { queueURL, queueLength } = trigger.metadata;
      const metadata = { queueURL, queueLength, awsRegion: region, awsEndpoint: url };
      const builtIn = { type: 'aws-sqs-queue', metadata, authenticationRef: { name: 'aws' } };
      await makeScaledObject(api, { namespace: shop, name: `ours-${queue}`, trigger });
      await makeScaledObject(api, { namespace: shop, name: `keda-${queue}`, trigger: builtIn });
    }
    await expect.poll(() => scaler.streams('StreamIsActive'), { timeout: waitMs }).toBe(count);
    const replicas = new Replicas(api, shop);
    const waits = await wakeEach(all, replicas, [1, most], async (queue) => {
      await queues.send(queue, 20);
      const sentAtMs = performance.now();
      await scaler.hint(queue);
      return sentAtMs;
    });
    printWaits(`messages in the queue, ${measured}`, {
      'external-push, hint, the first replica': waits.ours[1] ?? [],
      'external-push, hint, all four': waits.ours[most] ?? [],
      'aws-sqs-queue, the first replica': waits.keda[1] ?? [],
      'aws-sqs-queue, all four': waits.keda[most] ?? [],
    });
    replicas.stop();
    await release.uninstall();
  });

  it("with this scaler, and with KEDA's own for the same consumer groups, after a long and a short rest", async () => {
    const { api } = cluster();
    const broker = kafka();
    const bootstrapServers = broker.cluster.bootstrap.plain;
    const shop = await makeNamespace(api, 'topics');
    const release = new Release(
      cluster(),
      'helm-4',
      await makeNamespace(api, 'topic-scalers', { restricted: true }),
    );
    const scaler = await Scaler.prepare(api, release.namespace, { kafka: bootstrapServers });
    await release.apply(scaler.values, '--wait', '--timeout', '60s');
    const topics: string[] = [];
    for (let index = 0; index < count; index++) {
      const topic = await broker.createTopic();
      topics.push(topic);
      await broker.commit(topic, topic, { 0: 0 });
      const spec = { consumerGroup: topic, topic, lagThreshold: '10' };
      const metadata = { bootstrapServers: bootstrapServers.join(), ...spec };
      const builtIn = { type: 'apache-kafka', metadata };
      await makeScaledObject(api, {
        namespace: shop,
        name: `ours-${topic}`,
        trigger: scaler.kafkaTrigger(spec),
      });
      await makeScaledObject(api, { namespace: shop, name: `keda-${topic}`, trigger: builtIn });
    }
    await expect.poll(() => scaler.streams('StreamIsActive'), { timeout: waitMs }).toBe(count);
    const replicas = new Replicas(api, shop);
    await sleep(longAtRestMs);
    const long = await wakeEach(topics, replicas, [1], async (topic) => {
      await broker.produce(topic);
      return performance.now();
    });
    await sleep(confirmedMs);
    const just = await wakeEach(topics, replicas, [1], async (topic) => {
      // The last record is read at once. The workload has been active until now.
      await broker.produce(topic);
      await broker.commit(topic, topic, { 0: 2 });
      // KEDA does this at a poll after the cooldown. By then the topic would have rested for longer.
      for (const each of whose)
        await setReplicas(api, { namespace: shop, name: `${each}-${topic}`, replicas: 0 });
      const inactive = expect.poll(() => scaler.isActive(`ours-${topic}`), { interval: 20, timeout: waitMs });
      await Promise.all([inactive.toBe(false), sleep(justAtRestMs)]);
      expect(whose.map((each) => replicas.last(`${each}-${topic}`))).toEqual([0, 0]);
      await broker.produce(topic);
      return performance.now();
    });
    printWaits(`record in the topic, the first replica, ${measured}`, {
      'external-push, long at rest': long.ours[1] ?? [],
      'apache-kafka, long at rest': long.keda[1] ?? [],
      'external-push, at rest for 1 s': just.ours[1] ?? [],
      'apache-kafka, at rest for 1 s': just.keda[1] ?? [],
    });
    for (const each of whose)
      for (const topic of topics)
        expect(replicas.of(`${each}-${topic}`).map((one) => one.replicas)).toEqual([0, 1, 0, 1]);
    replicas.stop();
    await release.uninstall();
  });
});

/** In ms, by the number of replicas. */
type Waits = Record<(typeof whose)[number], Record<number, number[]>>;

/**
 * Sends to each queue or topic, one after the other, and waits until both of its workloads have this many replicas.
 * `send` resolves with the time of the message.
 */
async function wakeEach(
  names: readonly string[],
  replicas: Replicas,
  counts: readonly number[],
  send: (name: string) => Promise<number>,
): Promise<Waits> {
  const waits: Waits = { ours: {}, keda: {} };
  await Promise.all(
    names.map(async (name, index) => {
      await sleep((index + Math.random()) * pauseMs);
      const seen = whose.map((each) => replicas.of(`${each}-${name}`).length);
      const sentAtMs = await send(name);
      for (const [at, each] of whose.entries()) {
        for (const count of counts) {
          const reachedAtMs = () => replicas.reachedAfter(`${each}-${name}`, count, seen[at] ?? 0);
          await expect.poll(reachedAtMs, { timeout: waitMs }).toBeDefined();
          const waitedMs = (reachedAtMs() ?? Number.NaN) - sentAtMs;
          waits[each][count] = [...(waits[each][count] ?? []), waitedMs];
        }
      }
    }),
  );
  return waits;
}
