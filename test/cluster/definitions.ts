import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Manifest } from '../chart/helm.ts';
import { kubernetesModules } from '../support/kubernetes-modules.ts';
import { goModule } from '../support/tools/go.ts';
import type { Api } from './api.ts';

/** Go modules, and the folders in them with definitions of custom resources that the chart makes or KEDA knows. */
const modules = [
  { ...kubernetesModules.keda, folder: 'config/crd/bases' },
  { ...kubernetesModules.certManager, folder: 'deploy/crds' },
  { ...kubernetesModules.prometheusOperator, folder: 'example/prometheus-operator-crd' },
  { ...kubernetesModules.gatewayApi, folder: 'config/crd/standard' },
];
const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Makes the API server know the custom resources of KEDA, cert-manager, Prometheus' operator and the Gateway API. */
export async function defineResources(api: Api): Promise<void> {
  for (const { module, version, folder } of modules) {
    const sources = join(await goModule(module, version), folder);
    for (const name of (await readdir(sources)).filter((each) => each.endsWith('.yaml'))) {
      const definition: Manifest = parse(await readFile(join(sources, name), 'utf8'));
      if (definition['kind'] === 'CustomResourceDefinition') await api.create(collection, definition);
    }
  }
}
