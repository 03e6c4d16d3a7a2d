import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool, useTool } from '../support/tools/use-tool.ts';
import { ControlPlane } from './control-plane.ts';
import { defineResources } from './definitions.ts';
import { Keda } from './keda.ts';
import { Kubelet } from './kubelet.ts';
import type { FeatureGates } from './plane-flags.ts';
import { PodHosts } from './pod-hosts.ts';
import type { Programs } from './programs.ts';

const helms = ['helm-3', 'helm-4'] as const;
export type Helm = (typeof helms)[number];

export interface Cluster extends Pick<ControlPlane, 'api' | 'kubeconfig'> {
  readonly programs: Programs;
  readonly helm: Readonly<Record<Helm, string>>;
  /** For files of tests. Removed with the cluster. */
  readonly directory: string;
}

/** A cluster that runs the objects created in it. */
export interface RunningCluster extends Cluster {
  readonly keda: Keda;
  readonly kubelet: Kubelet;
  readonly hosts: PodHosts | undefined;
}

interface Different {
  readonly featureGates?: FeatureGates;
  readonly operatorFlags?: readonly string[];
  /** The name by which KEDA finds all ready pods of the scaler, each at its own address. */
  readonly podsName?: string;
}

/**
 * A control plane that knows the custom resources around the chart, for the tests of a file. Pods can be created, but
 * never run. For missing tools see `useTool`.
 */
export function useCluster(): () => Cluster {
  const ends: Ends = [];
  return useTool(async () => (await startPlane(ends)).cluster, { end: () => endAll(ends) });
}

/**
 * The same with KEDA, and with a stand-in for a node. `different` are deviations from the defaults of Kubernetes and
 * KEDA.
 */
export function useRunningCluster(different: Different = {}): () => RunningCluster {
  const ends: Ends = [];
  return useTool(
    async () => {
      const { cluster, plane } = await startPlane(ends, different.featureGates);
      const { api, programs, directory } = cluster;
      const { operatorFlags = [], podsName } = different;
      const hosts = podsName === undefined ? undefined : new PodHosts(join(directory, 'hosts'), podsName);
      await hosts?.write();
      const of = hosts && { hosts };
      const kubelet = new Kubelet({ api, node: process.execPath, directory: join(directory, 'pods'), ...of });
      ends.push(() => kubelet.stop());
      const keda = await Keda.start(programs, plane, directory, { operatorFlags, ...of });
      ends.push(() => keda.stop());
      return { ...cluster, keda, kubelet, hosts };
    },
    { end: () => endAll(ends) },
  );
}

type Ends = (() => Promise<void>)[];

async function endAll(ends: Ends): Promise<void> {
  for (const end of ends.toReversed()) await end();
}

async function startPlane(
  ends: Ends,
  featureGates: FeatureGates = {},
): Promise<{ cluster: Cluster; plane: ControlPlane }> {
  const programs = await tool('cluster-programs');
  const helm = { 'helm-3': await tool('helm-3'), 'helm-4': await tool('helm-4') };
  const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-cluster-'));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  const plane = await ControlPlane.start(programs, directory, { featureGates });
  ends.push(() => plane.stop());
  const { api, kubeconfig } = plane;
  await defineResources(api);
  await api.create('/api/v1/namespaces', { metadata: { name: 'keda' } });
  return { cluster: { api, kubeconfig, programs, helm, directory }, plane };
}
