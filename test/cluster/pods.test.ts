import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useNats } from '../support/nats/server.ts';
import { makeNamespace } from './objects.ts';
import { Release } from './release.ts';
import { Replicas } from './replicas.ts';
import { makeScaledObject } from './scaled.ts';
import { Scaler } from './scaler.ts';
import { useRunningCluster } from './use-cluster.ts';
import { useSqsServer } from './use-sqs-server.ts';

const waitMs = 200_000;
const podsName = 'wakes-backlog-scaler.scalers.test';
const pods = 3;
/** KEDA opens the stream of each at one pod or another. */
const workloads = 6;
const items = 7;
/** The HPA calls one pod or another, every 15 s. */
const looksMs = 40_000;

describe('three pods of the scaler, with an event log in NATS', () => {
  const cluster = useRunningCluster({ podsName });
  const nats = useNats();
  const sqs = useSqsServer();
  let scaler: Scaler;
  let shop: string;
  let replicas: Replicas | undefined;

  const addresses = (): readonly string[] => cluster().hosts?.readyAddresses ?? [];
  const first = (): string => addresses()[0] ?? '';
  const streams = async (): Promise<number[]> =>
    Promise.all(addresses().map((address) => scaler.streams('StreamIsActive', address)));
  const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
  const replicasBecome = (name: string, wanted: number) =>
    expect.poll(() => replicas?.last(name), { timeout: waitMs }).toBe(wanted);

  beforeAll(async () => {
    const { api } = cluster();
    shop = await makeNamespace(api, 'shop');
    replicas = new Replicas(api, shop);
    const release = new Release(
      cluster(),
      'helm-4',
      await makeNamespace(api, 'scalers', { restricted: true }),
    );
    const config = { eventLog: { type: 'nats', servers: nats().urls } };
    scaler = await Scaler.prepare(api, release.namespace, {
      sqs: sqs().url,
      items: true,
      host: podsName,
      config,
    });
    await release.apply({ ...scaler.values, replicaCount: pods }, '--wait', '--timeout', '120s');
    expect(addresses()).toHaveLength(pods);
  });

  afterAll(() => replicas?.stop());

  it('wakes each workload by a hint to one pod, whichever pod KEDA listens to', async () => {
    const { api } = cluster();
    const { queues } = sqs();
    const all = await Promise.all(Array.from({ length: workloads }, () => queues.create()));
    for (const queue of all) {
      await makeScaledObject(api, { namespace: shop, name: queue, trigger: scaler.trigger(queues, queue) });
    }
    await expect.poll(async () => sum(await streams()), { timeout: waitMs }).toBe(workloads);
    expect((await streams()).filter((count) => count > 0).length).toBeGreaterThan(1);
    for (const queue of all) {
      await queues.send(queue, 5);
      await scaler.hint(queue, first());
    }
    for (const queue of all) await replicasBecome(queue, 1);
  });

  it('has a replica for each work item that one pod received, even while a pod dies', async () => {
    const { api } = cluster();
    const trigger = scaler.itemsTrigger('renders');
    await makeScaledObject(api, { namespace: shop, name: 'renderers', trigger, maxReplicaCount: 20 });
    await expect.poll(async () => sum(await streams()), { timeout: waitMs }).toBe(workloads + 1);
    const numbers = () => Promise.all(addresses().map((address) => scaler.numberOf('renderers', address)));
    await expect.poll(async () => (await numbers()).includes(0), { timeout: waitMs }).toBe(true);
    for (let id = 0; id < items; id += 1) await scaler.queued(`render-${id}`, first());
    await replicasBecome('renderers', items);
    const seen = replicas?.of('renderers').length;
    await cluster().kubelet.kill(first());
    await new Promise((resolve) => setTimeout(resolve, looksMs));
    expect(replicas?.of('renderers').slice(seen)).toEqual([]);
    await expect.poll(() => addresses().length, { timeout: waitMs }).toBe(pods);
    await expect.poll(async () => sum(await streams()), { timeout: waitMs }).toBe(workloads + 1);
    // The log's content reaches the restarted pod, too.
    await scaler.queued('one-more', first());
    await replicasBecome('renderers', items + 1);
  }, 480_000);
});
