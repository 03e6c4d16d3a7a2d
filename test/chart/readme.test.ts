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

/** What the README's own command makes of the README's own values. */
function installed(): Manifest[] {
  const values = blocks.find(
    (block) => z.looseObject({ secretMounts: z.array(z.unknown()) }).safeParse(parse(block)).success,
  );
  const { ok, output } = run(
    tool('helm-4'),
    ['template', release, chart, '--namespace', namespace, ...kubeVersion, '--values', '-'],
    values ?? '',
  );
  if (!ok) throw new Error(output);
  return parseManifests(output);
}

it('installs a configuration that serve takes', async () => {
  const config = at(manifest(installed(), 'ConfigMap'), 'data', 'config.yaml');
  const { connections } = await loadExample(z.string().parse(config));
  expect([...connections.keys()].toSorted()).toEqual(['ci', 'jobs', 'orders']);
});

it('names the Deployment and the address that there are', () => {
  const all = installed();
  const deployment = String(at(manifest(all, 'Deployment'), 'metadata', 'name'));
  expect(readme).toContain(`kubectl -n ${namespace} rollout status deployment/${deployment}`);
  expect(readme).toContain(`kubectl -n ${namespace} port-forward deployment/${deployment} 8080`);
  const service = manifest(all, 'Service', deployment);
  const addresses = [...readme.matchAll(/scalerAddress: (\S+)/g)].map(([, address = '']) => address);
  const address = `${deployment}.${namespace}:${String(at(service, 'spec', 'ports', 0, 'port'))}`;
  expect([addresses.length, ...new Set(addresses)]).toEqual([3, address]);
});

it('lets only the Ingress of the host that it names in', () => {
  const ingress = manifest(installed(), 'Ingress');
  expect(at(ingress, 'spec', 'rules', 0, 'host')).toBe('scaler.example.com');
  expect(at(ingress, 'spec', 'rules', 0, 'http', 'paths', 0, 'path')).toBe('/ingest/');
});

it('builds and pushes the image that the pods run', () => {
  const deployment = manifest(installed(), 'Deployment');
  const image = String(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image'));
  expect(readme).toContain(`docker build -t ${image} .\ndocker push ${image}\n`);
});
