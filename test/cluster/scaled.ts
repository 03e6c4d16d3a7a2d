import type { Manifest } from '../chart/helm.ts';
import type { Api } from './api.ts';

const container = { name: 'worker', image: 'worker' };
/** For workloads whose replicas only count. Their pods stay pending. */
const noScheduler = 'none';

interface Scaled {
  readonly namespace: string;
  /** Of the workload, and of its ScaledObject or ScaledJob. */
  readonly name: string;
  /** One, or several. */
  readonly trigger: Manifest | readonly Manifest[];
  readonly pollingInterval?: number;
  readonly cooldownPeriod?: number;
}

interface ScaledObject extends Scaled {
  readonly minReplicaCount?: number;
  readonly maxReplicaCount?: number;
  /** Of its HPA. */
  readonly behavior?: Manifest;
  /** Whether its pods run. */
  readonly running?: boolean;
}

/** A Deployment with the least replicas, and a ScaledObject that sets them, by default from 0 to 4. */
export async function makeScaledObject(api: Api, scaled: ScaledObject): Promise<void> {
  const { namespace, name, trigger, behavior, running = true } = scaled;
  const { pollingInterval = 30, cooldownPeriod = 30, minReplicaCount = 0, maxReplicaCount = 4 } = scaled;
  const labels = { app: name };
  const scheduler = running ? {} : { schedulerName: noScheduler };
  const template = { metadata: { labels }, spec: { containers: [container], ...scheduler } };
  await api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name },
    spec: { replicas: minReplicaCount, selector: { matchLabels: labels }, template },
  });
  await create(api, 'ScaledObject', namespace, {
    metadata: { name },
    spec: {
      scaleTargetRef: { name },
      pollingInterval,
      cooldownPeriod,
      minReplicaCount,
      maxReplicaCount,
      ...(behavior && { advanced: { horizontalPodAutoscalerConfig: { behavior } } }),
      triggers: [trigger].flat(),
    },
  });
}

/** Sets a Deployment's replicas, as a person would by hand. */
export async function setReplicas(
  api: Api,
  { namespace, name, replicas }: Pick<Scaled, 'namespace' | 'name'> & { readonly replicas: number },
): Promise<void> {
  await api.merge(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, { spec: { replicas } });
}

/** A ScaledJob that polls every second. */
export async function makeScaledJob(api: Api, { namespace, name, trigger }: Scaled): Promise<void> {
  const template = { spec: { restartPolicy: 'Never', containers: [container] } };
  const spec = {
    pollingInterval: 1,
    maxReplicaCount: 10,
    jobTargetRef: { template },
    triggers: [trigger].flat(),
  };
  await create(api, 'ScaledJob', namespace, { metadata: { name }, spec });
}

async function create(api: Api, kind: string, namespace: string, object: Manifest): Promise<void> {
  const path = `/apis/keda.sh/v1alpha1/namespaces/${namespace}/${kind.toLowerCase()}s`;
  await api.create(path, { apiVersion: 'keda.sh/v1alpha1', kind, ...object });
}
