import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isMapping } from '../../src/config/document.ts';
import { kubernetesModules } from '../support/kubernetes-modules.ts';
import { cached } from '../support/tools/cached.ts';
import { goModule } from '../support/tools/go.ts';

const kubernetes = { ...kubernetesModules.kubernetes, file: 'api/openapi-spec/swagger.json' };

/** Custom resources that the chart makes, or mentions in its notes. */
const definitions = [
  {
    ...kubernetesModules.gatewayApi,
    files: ['config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'],
  },
  {
    ...kubernetesModules.certManager,
    files: ['deploy/crds/cert-manager.io_certificates.yaml'],
  },
  {
    ...kubernetesModules.prometheusOperator,
    files: ['servicemonitors', 'prometheusrules'].map(
      (kind) => `example/prometheus-operator-crd/monitoring.coreos.com_${kind}.yaml`,
    ),
  },
  {
    ...kubernetesModules.keda,
    files: ['triggerauthentications', 'clustertriggerauthentications'].map(
      (kind) => `config/crd/bases/keda.sh_${kind}.yaml`,
    ),
  },
];

/** How kubeconform finds a schema in the folder, such as `ingress-networking-v1.json` or `pod-v1.json`. */
export const schemaFileName = '{{ .ResourceKind }}{{ .KindSuffix }}.json';

/**
 * A folder with the JSON schemas of Kubernetes' own kinds, and of the other kinds in the chart. They come from the
 * projects' own Go modules, so that no test needs a host.
 */
export function schemaFolder(): Promise<string> {
  const version = [kubernetes.version, ...definitions.map((each) => each.version)].join('-');
  return cached({ name: 'schemas', version }, async (folder) => {
    await mkdir(folder, { recursive: true });
    await writeKubernetes(folder);
    for (const { module, version, files } of definitions) {
      const sources = await goModule(module, version);
      for (const file of files)
        await writeDefinition(parse(await readFile(join(sources, file), 'utf8')), folder);
    }
  });
}

async function writeKubernetes(folder: string): Promise<void> {
  const sources = await goModule(kubernetes.module, kubernetes.version);
  const document: unknown = JSON.parse(readFileSync(join(sources, kubernetes.file), 'utf8'));
  const all = isMapping(document) && isMapping(document['definitions']) ? document['definitions'] : {};
  const strict = Object.fromEntries(Object.entries(all).map(([name, schema]) => [name, closed(schema)]));
  for (const [name, schema] of Object.entries(strict)) {
    const kinds = isMapping(schema) ? schema['x-kubernetes-group-version-kind'] : undefined;
    if (!Array.isArray(kinds)) continue;
    for (const kind of kinds.filter(isMapping)) {
      const used = Object.fromEntries([...reachable(name, strict)].map((key) => [key, strict[key]]));
      const text = JSON.stringify({ $ref: `#/definitions/${name}`, definitions: used });
      await writeFile(join(folder, fileName(kind)), text);
    }
  }
}

async function writeDefinition(definition: unknown, folder: string): Promise<void> {
  const spec = isMapping(definition) && isMapping(definition['spec']) ? definition['spec'] : {};
  const names = isMapping(spec['names']) ? spec['names'] : {};
  const versions = Array.isArray(spec['versions']) ? spec['versions'].filter(isMapping) : [];
  for (const { name, schema } of versions) {
    if (!isMapping(schema)) continue;
    const kind = { group: spec['group'], version: name, kind: names['kind'] };
    const text = JSON.stringify(closed(schema['openAPIV3Schema']));
    await writeFile(join(folder, fileName(kind)), text);
  }
}

function fileName({ group, version, kind }: Record<string, unknown>): string {
  const [short] = String(group).split('.');
  return [String(kind).toLowerCase(), short, version]
    .filter((part) => part !== '')
    .join('-')
    .concat('.json');
}

/**
 * The same schema, but without unknown keys, and with OpenAPI's own keywords translated to JSON schema. The `metadata`
 * of a custom resource stays open, because it is only declared as an object.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isMapping(schema)) return schema;
  if (schema['format'] === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true) {
    return { type: ['integer', 'string'] };
  }
  // Go's patterns and formats differ from JSON schema's. Only shapes are checked here.
  const { pattern: _, format: __, default: ___, ...rest } = schema;
  const copy = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      key === 'properties' ? closedEach(value) : closed(value),
    ]),
  );
  const open =
    rest['additionalProperties'] !== undefined || rest['x-kubernetes-preserve-unknown-fields'] === true;
  return isMapping(rest['properties']) && !open ? { ...copy, additionalProperties: false } : copy;
}

function closedEach(properties: unknown): unknown {
  if (!isMapping(properties)) return properties;
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, closed(schema)]));
}

function reachable(name: string, all: Readonly<Record<string, unknown>>): Set<string> {
  const found = new Set([name]);
  for (const one of found) {
    for (const [, next] of JSON.stringify(all[one] ?? {}).matchAll(/"#\/definitions\/([^"]+)"/g)) {
      if (next !== undefined) found.add(next);
    }
  }
  return found;
}
