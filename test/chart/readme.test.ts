import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadExample } from '../support/example-config.ts';
import { useTools } from '../support/tools/use-tool.ts';
import { at, chart, kubeVersion, type Manifest, manifest, parseManifests, run } from './helm.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = '']) => block);
const installs =
  /^helm upgrade --install (\S+) deploy\/helm\/backlog-scaler --namespace (\S+) -f values\.yaml$/m;
const [, release = '', namespace = ''] = installs.exec(readme) ?? [];
const tool = useTools('helm-4');
const withConnections = z.looseObject({ connections: z.record(z.string(), z.unknown()) });

/** The README's values, by the connection that they have. */
const values = new Map(
  blocks.flatMap((block): [string, string][] => {
    const parsed = z.looseObject({ config: withConnections }).safeParse(parse(block));
    return Object.keys(parsed.data?.config.connections ?? {}).map((name) => [name, block]);
  }),
);

/** What the README's own command makes of the README's own values. */
function installed(connection: string): Manifest[] {
  const { ok, output } = run(
    tool('helm-4'),
    ['template', release, chart, '--namespace', namespace, ...kubeVersion, '--values', '-'],
    values.get(connection) ?? '',
  );
  if (!ok) throw new Error(output);
  return parseManifests(output);
}

it('has values for every source', () => {
  expect([...values.keys()]).toEqual(['orders', 'jobs', 'ci', 'stream', 'builds']);
});

it.each([...values.keys()])('installs a configuration that serve takes: %s', async (connection) => {
  const config = at(manifest(installed(connection), 'ConfigMap'), 'data', 'config.yaml');
  const { connections } = await loadExample(z.string().parse(config));
  expect([...connections.keys()]).toEqual([connection]);
});

it('names the Deployment and the address that there are', () => {
  const all = installed('orders');
  const deployment = String(at(manifest(all, 'Deployment'), 'metadata', 'name'));
  expect(readme).toContain(`kubectl -n ${namespace} rollout status deployment/${deployment}`);
  expect(readme).toContain(`kubectl -n ${namespace} port-forward deployment/${deployment} 8080`);
  const service = manifest(all, 'Service', deployment);
  const addresses = [...readme.matchAll(/scalerAddress: (\S+)/g)].map(([, address = '']) => address);
  const address = `${deployment}.${namespace}:${String(at(service, 'spec', 'ports', 0, 'port'))}`;
  expect([addresses.length, ...new Set(addresses)]).toEqual([values.size, address]);
});

it('lets only the Ingress of the host that it names in', () => {
  const ingress = manifest(installed('ci'), 'Ingress');
  expect(at(ingress, 'spec', 'rules', 0, 'host')).toBe('scaler.example.com');
  expect(at(ingress, 'spec', 'rules', 0, 'http', 'paths', 0, 'path')).toBe('/ingest/');
});

it('builds and pushes the image that the pods run', () => {
  const deployment = manifest(installed('orders'), 'Deployment');
  const image = String(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image'));
  expect(readme).toContain(`docker build -t ${image} .\ndocker push ${image}\n`);
});
