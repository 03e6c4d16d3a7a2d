import type { Manifest } from '../chart/helm.ts';
import type { Api } from './api.ts';

const container = { name: 'worker', image: 'worker' };

interface Scaled {
  readonly namespace: string;
  /** Of the workload and its ScaledObject or ScaledJob. */
  readonly name: string;
  readonly trigger: Manifest;
  readonly pollingInterval?: number;
  readonly cooldownPeriod?: number;
}

/** A Deployment of no replicas, and a ScaledObject that sets them, to 4 at most. */
export async function makeScaledObject(api: Api, scaled: Scaled): Promise<void> {
  const { namespace, name, trigger, pollingInterval = 30, cooldownPeriod = 30 } = scaled;
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  await api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  });
  const spec = { scaleTargetRef: { name }, pollingInterval, cooldownPeriod, maxReplicaCount: 4 };
  await create(api, 'ScaledObject', namespace, {
    metadata: { name },
    spec: { ...spec, triggers: [trigger] },
  });
}

/** Sets a Deployment's replicas as a person does, by hand. */
export async function setReplicas(
  api: Api,
  { namespace, name, replicas }: Pick<Scaled, 'namespace' | 'name'> & { readonly replicas: number },
): Promise<void> {
  await api.merge(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, { spec: { replicas } });
}

/** A ScaledJob that polls every second. */
export async function makeScaledJob(api: Api, { namespace, name, trigger }: Scaled): Promise<void> {
  const template = { spec: { restartPolicy: 'Never', containers: [container] } };
  const spec = { pollingInterval: 1, maxReplicaCount: 10, jobTargetRef: { template }, triggers: [trigger] };
  await create(api, 'ScaledJob', namespace, { metadata: { name }, spec });
}

async function create(api: Api, kind: string, namespace: string, object: Manifest): Promise<void> {
  const path = `/apis/keda.sh/v1alpha1/namespaces/${namespace}/${kind.toLowerCase()}s`;
  await api.create(path, { apiVersion: 'keda.sh/v1alpha1', kind, ...object });
}
