import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Manifest } from '../chart/helm.ts';
import { goModule } from '../support/tools/go.ts';
import type { Api } from './api.ts';

/** Modules of Go, and where in them the definitions are of custom resources that the chart makes or KEDA knows. */
const modules = [
  ['github.com/kedacore/keda/v2', 'v2.21.0', 'config/crd/bases'],
  ['github.com/cert-manager/cert-manager', 'v1.21.2', 'deploy/crds'],
  ['github.com/prometheus-operator/prometheus-operator', 'v0.85.0', 'example/prometheus-operator-crd'],
  ['sigs.k8s.io/gateway-api', 'v1.3.0', 'config/crd/standard'],
] as const;
const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Makes the API server know the custom resources of KEDA, cert-manager, Prometheus' operator and the Gateway API. */
export async function defineResources(api: Api): Promise<void> {
  for (const [module, version, folder] of modules) {
    const sources = join(await goModule(module, version), folder);
    for (const name of (await readdir(sources)).filter((each) => each.endsWith('.yaml'))) {
      const definition: Manifest = parse(await readFile(join(sources, name), 'utf8'));
      if (definition['kind'] === 'CustomResourceDefinition') await api.create(collection, definition);
    }
  }
}
