import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubernetesModules } from '../support/kubernetes-modules.ts';
import { cached, versionOf } from '../support/tools/cached.ts';
import { goBuild, goModule, goVersion } from '../support/tools/go.ts';

const sources = fileURLToPath(new URL('./kubernetes/', import.meta.url));
const { keda, kubernetes } = kubernetesModules;
const [, major = '', minor = ''] = /^v(\d+)\.(\d+)\./.exec(kubernetes.version) ?? [];

/** Without them a server built from its module reports no version, and Helm refuses to install on it. */
const variables = Object.fromEntries(
  Object.entries({
    gitVersion: kubernetes.version,
    gitMajor: major,
    gitMinor: minor,
  }).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]),
);
const ofKubernetes = {
  etcd: './etcd',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
};
const ofKeda = { 'keda-operator': './cmd/operator', 'keda-adapter': './cmd/adapter' };

/** The paths of a cluster's programs, without nodes. */
export type Programs = Record<keyof typeof ofKubernetes | keyof typeof ofKeda, string>;

/**
 * Builds etcd, Kubernetes' servers and KEDA's from their Go modules. On a fresh machine this takes a quarter of an hour.
 * Throws ToolMissing without Go or the modules.
 */
export async function findPrograms(): Promise<Programs> {
  const inputs = ['go.mod', 'go.sum', 'etcd/main.go'].map((name) => join(sources, name));
  const version = versionOf(inputs, kubernetes.version, keda.version, await goVersion());
  const home = await cached({ name: 'cluster', version }, async (unfinished) => {
    await mkdir(unfinished);
    for (const [name, folder] of Object.entries(ofKubernetes))
      await goBuild({ sources, folder, output: join(unfinished, name), name, variables });
    const kedaSources = await goModule(keda.module, keda.version);
    for (const [name, folder] of Object.entries(ofKeda))
      await goBuild({ sources: kedaSources, folder, output: join(unfinished, name), name });
  });
  const path = (name: keyof Programs) => join(home, name);
  return {
    etcd: path('etcd'),
    'kube-apiserver': path('kube-apiserver'),
    'kube-controller-manager': path('kube-controller-manager'),
    kubectl: path('kubectl'),
    'keda-operator': path('keda-operator'),
    'keda-adapter': path('keda-adapter'),
  };
}
