import { describe, expect, it } from 'vitest';
import { region } from '../support/sqs/region.ts';
import { makeNamespace, makeSecret } from './objects.ts';
import { Release } from './release.ts';
import { Replicas } from './replicas.ts';
import { makeScaledObject } from './scaled.ts';
import { Scaler } from './scaler.ts';
import { useCluster } from './use-cluster.ts';
import { useSqsServer } from './use-sqs-server.ts';

const queueCount = 10;
const waitMs = 120_000;
const keys = { awsAccessKeyID: 'id', awsSecretAccessKey: 'key' };

describe('how long a workload of no replicas sleeps on', () => {
  const cluster = useCluster({ running: true });
  const sqs = useSqsServer();

  it("with this scaler, and with KEDA's own for the same queues", async () => {
    const { api } = cluster();
    const { queues, url } = sqs();
    const shop = await makeNamespace(api, 'shop');
    const release = new Release(
      cluster(),
      'helm-4',
      await makeNamespace(api, 'scalers', { restricted: true }),
    );
    const scaler = await Scaler.prepare(api, release.namespace, url);
    await release.apply(scaler.values, '--wait', '--timeout', '60s');
    await makeSecret(api, shop, 'aws', { id: 'reader', key: 'reader' });
    const secretTargetRef = Object.entries(keys).map(([parameter, key]) => ({ parameter, name: 'aws', key }));
    await api.create(`/apis/keda.sh/v1alpha1/namespaces/${shop}/triggerauthentications`, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'TriggerAuthentication',
      metadata: { name: 'aws' },
      spec: { secretTargetRef },
    });
    const all = await Promise.all(Array.from({ length: queueCount }, () => queues.create()));
    for (const queue of all) {
      const trigger = scaler.trigger(queues, queue);
      const { queueURL, queueLength } = trigger.metadata;
      const metadata = { queueURL, queueLength, awsRegion: region, awsEndpoint: url };
      const builtIn = { type: 'aws-sqs-queue', metadata, authenticationRef: { name: 'aws' } };
      await makeScaledObject(api, { namespace: shop, name: `ours-${queue}`, trigger });
      await makeScaledObject(api, { namespace: shop, name: `keda-${queue}`, trigger: builtIn });
    }
    await expect.poll(() => scaler.streams('StreamIsActive'), { timeout: waitMs }).toBe(queueCount);
    const replicas = new Replicas(api, shop);
    const sentAtMs = new Map<string, number>();
    for (const queue of all) {
      await new Promise((resolve) => setTimeout(resolve, 1000 + Math.random() * 3000));
      await queues.send(queue, 20);
      sentAtMs.set(queue, performance.now());
      await scaler.hint(queue);
    }
    const waits = (whose: string) =>
      all.map(
        (queue) =>
          (replicas.of(`${whose}-${queue}`).find((one) => one.replicas > 0)?.atMs ?? Number.NaN) -
          (sentAtMs.get(queue) ?? 0),
      );
    await expect
      .poll(() => [...waits('ours'), ...waits('keda')].every(Number.isFinite), { timeout: waitMs })
      .toBe(true);
    console.info(
      [
        `message in the queue -> spec.replicas = 1, in seconds, ${queueCount} queues, KEDA 2.21, pollingInterval 30`,
        row('trigger', ['min', 'median', 'max']),
        row('external-push, hint', summary(waits('ours'))),
        row('aws-sqs-queue', summary(waits('keda'))),
      ].join('\n'),
    );
    replicas.stop();
    await release.uninstall();
  });
});

function summary(valuesMs: readonly number[]): string[] {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    ((sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN) / 1000).toFixed(3);
  return [at(0), at(0.5), at(1)];
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(24) + cells.map((cell) => cell.padStart(10)).join('');
}
