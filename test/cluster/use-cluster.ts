import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool, useTool } from '../support/tools/use-tool.ts';
import { ControlPlane } from './control-plane.ts';
import { defineResources } from './definitions.ts';
import { Keda } from './keda.ts';
import { Kubelet } from './kubelet.ts';
import type { Programs } from './programs.ts';

const helms = ['helm-3', 'helm-4'] as const;
export type Helm = (typeof helms)[number];

export interface Cluster extends Pick<ControlPlane, 'api' | 'kubeconfig'> {
  readonly programs: Programs;
  readonly helm: Readonly<Record<Helm, string>>;
  /** For files of tests; it goes with the cluster. */
  readonly directory: string;
}

/**
 * A control plane that knows the custom resources around the chart, for the tests of a file. With `running` it has
 * KEDA too, and what stands in for a node; without, pods are made and never run. See `useTool` where tools are missing.
 */
export function useCluster({ running }: { running: boolean }): () => Cluster {
  const ends: (() => Promise<void>)[] = [];
  return useTool<Cluster>(
    async () => {
      const programs = await tool('cluster-programs');
      const helm = { 'helm-3': await tool('helm-3'), 'helm-4': await tool('helm-4') };
      const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-cluster-'));
      ends.push(() => rm(directory, { recursive: true, force: true }));
      const plane = await ControlPlane.start(programs, directory);
      ends.push(() => plane.stop());
      const { api, kubeconfig } = plane;
      await defineResources(api);
      await api.create('/api/v1/namespaces', { metadata: { name: 'keda' } });
      if (running) {
        const kubelet = new Kubelet({ api, node: process.execPath, directory: join(directory, 'pods') });
        ends.push(() => kubelet.stop());
        const keda = await Keda.start(programs, plane, directory);
        ends.push(() => keda.stop());
      }
      return { api, kubeconfig, programs, helm, directory };
    },
    {
      end: async () => {
        for (const end of ends.toReversed()) await end();
      },
    },
  );
}
