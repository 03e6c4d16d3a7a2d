import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at } from '../chart/helm.ts';
import { makeNamespace } from './objects.ts';
import { Release } from './release.ts';
import { Replicas } from './replicas.ts';
import { makeScaledJob, makeScaledObject } from './scaled.ts';
import { Scaler } from './scaler.ts';
import { useRunningCluster } from './use-cluster.ts';
import { useSqsServer } from './use-sqs-server.ts';

const waitMs = 90_000;

describe('the chart, installed beside KEDA', () => {
  const cluster = useRunningCluster();
  const sqs = useSqsServer();
  let count = 0;
  let release: Release;
  let scaler: Scaler;
  let shop: string;
  let replicas: Replicas;

  beforeEach(async () => {
    count += 1;
    const { api } = cluster();
    shop = await makeNamespace(api, `shop-${count}`);
    replicas = new Replicas(api, shop);
    release = new Release(
      cluster(),
      'helm-3',
      await makeNamespace(api, `scalers-${count}`, { restricted: true }),
    );
    scaler = await Scaler.prepare(api, release.namespace, { sqs: sqs().url });
    await release.apply(scaler.values, '--wait', '--timeout', '60s');
  });

  afterEach(async () => {
    replicas.stop();
    await release.uninstall();
  });

  const streamsAre = (wanted: number) =>
    expect.poll(() => scaler.streams('StreamIsActive'), { timeout: waitMs }).toBe(wanted);
  const replicasBecome = (name: string, wanted: number) =>
    expect.poll(() => replicas.last(name), { timeout: waitMs }).toBe(wanted);

  it('is called by helm test, and takes a Deployment from 0 to 4 and back to 0', async () => {
    const { api } = cluster();
    const { queues } = sqs();
    expect(await release.test()).toMatch(/Phase:\s+Succeeded/);
    const queue = await queues.create();
    const trigger = scaler.trigger(queues, queue);
    await makeScaledObject(api, {
      namespace: shop,
      name: 'workers',
      trigger,
      pollingInterval: 5,
      cooldownPeriod: 5,
    });
    await streamsAre(1);
    expect(replicas.of('workers').map((one) => one.replicas)).toEqual([0]);

    await queues.send(queue, 20);
    await scaler.hint(queue);
    await replicasBecome('workers', 4);
    expect(
      replicas
        .of('workers')
        .map((one) => one.replicas)
        .slice(0, 2),
    ).toEqual([0, 1]);

    await queues.delete(queue, await queues.receive(queue, 20));
    await replicasBecome('workers', 0);
  });

  it('keeps running replicas while its pod is replaced, and wakes again afterwards', async () => {
    const { api } = cluster();
    const { queues } = sqs();
    const [busy, idle] = [await queues.create(), await queues.create()];
    await makeScaledObject(api, { namespace: shop, name: 'busy', trigger: scaler.trigger(queues, busy) });
    await makeScaledObject(api, { namespace: shop, name: 'idle', trigger: scaler.trigger(queues, idle) });
    await streamsAre(2);
    await queues.send(busy, 5);
    await scaler.hint(busy);
    await replicasBecome('busy', 1);

    const pods = `/api/v1/namespaces/${release.namespace}/pods`;
    await api.delete(pods);
    await streamsAre(0);
    await streamsAre(2);
    await queues.send(idle, 5);
    await scaler.hint(idle);
    await replicasBecome('idle', 1);
    expect(replicas.of('busy').map((one) => one.replicas)).toEqual([0, 1]);
  });

  it('starts a Job for each message', async () => {
    const { api } = cluster();
    const { queues } = sqs();
    const queue = await queues.create();
    const trigger = scaler.trigger(queues, queue, { type: 'external', length: 1 });
    await makeScaledJob(api, { namespace: shop, name: 'thumbnails', trigger });
    await queues.send(queue, 3);
    await scaler.hint(queue);
    const jobs = async () => at(await api.get(`/apis/batch/v1/namespaces/${shop}/jobs`), 'items');
    await expect.poll(jobs, { timeout: waitMs }).toHaveLength(3);
  });

  it('has its errors in an event if a queue is missing, but only in the logs if a trigger is refused', async () => {
    const { api } = cluster();
    const { queues } = sqs();
    const { type, metadata } = scaler.trigger(queues, await queues.create());
    const refused = { type, metadata: { ...metadata, queueLenght: '5' } };
    const missing = { type, metadata: { ...metadata, queueURL: 'no-such-queue' } };
    await makeScaledObject(api, { namespace: shop, name: 'refused', trigger: refused });
    await makeScaledObject(api, { namespace: shop, name: 'missing', trigger: missing, pollingInterval: 5 });
    const path = `/apis/keda.sh/v1alpha1/namespaces/${shop}/scaledobjects/refused`;
    const conditions = async () => JSON.stringify(at(await api.get(path), 'status', 'conditions'));
    await expect
      .poll(conditions, { timeout: waitMs })
      .toContain('no metric specs returned from scalers for ScaledObject');
    expect(await conditions()).not.toContain('queueLenght');
    const events = async () => JSON.stringify(await api.get(`/api/v1/namespaces/${shop}/events`));
    await expect
      .poll(events, { timeout: waitMs })
      .toContain(`sqs trigger of ${shop}/missing: nothing has been`);
    expect(await events()).not.toContain('queueLenght');
  });
});
