import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { sources } from '../../src/sources/index.ts';
import { loadExample } from '../support/example-config.ts';
import { useTools } from '../support/tools/use-tool.ts';
import { at, chart, kubeVersion, type Manifest, manifest, parseManifests, run } from './helm.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const readme = read('README.md');
const blocks = [...readme.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = '']) => block);
/** The folders of examples that the README sends its readers to. */
const folders = [...readme.matchAll(/\]\((deploy\/examples\/\w+)\)/g)].map(([, folder = '']) => folder);
const installs =
  /^helm upgrade --install (\S+) deploy\/helm\/backlog-scaler --namespace (\S+) -f values\.yaml$/m;
const [, release = '', namespace = ''] = installs.exec(readme) ?? [];
const tool = useTools('helm-4');
const withConnections = z.looseObject({ connections: z.record(z.string(), z.unknown()) });

/** The README's own values, and those of the examples, by where they are. */
const values = new Map<string, string>([
  ...blocks
    .filter((block) => z.looseObject({ config: withConnections }).safeParse(parse(block)).success)
    .map((block) => ['README.md', block] as const),
  ...folders.map((folder) => [folder, read(`${folder}/values.yaml`)] as const),
]);

/** What the README's own command makes of these values. */
function installed(from: string): Manifest[] {
  const { ok, output } = run(
    tool('helm-4'),
    ['template', release, chart, '--namespace', namespace, ...kubeVersion, '--values', '-'],
    values.get(from) ?? '',
  );
  if (!ok) throw new Error(output);
  return parseManifests(output);
}

it('has values for every source', () => {
  const examples = sources.map(({ kind }) => `deploy/examples/${kind}`);
  expect([...values.keys()].toSorted()).toEqual(['README.md', ...examples].toSorted());
});

it.each([...values.keys()])('installs a configuration that serve takes: %s', async (from) => {
  const config = at(manifest(installed(from), 'ConfigMap'), 'data', 'config.yaml');
  const { connections } = await loadExample(z.string().parse(config));
  expect(connections.size).toBeGreaterThan(0);
});

it('names the Deployment and the address that there are', () => {
  const all = installed('README.md');
  const deployment = String(at(manifest(all, 'Deployment'), 'metadata', 'name'));
  expect(readme).toContain(`kubectl -n ${namespace} rollout status deployment/${deployment}`);
  expect(readme).toContain(`kubectl -n ${namespace} port-forward deployment/${deployment} 8080`);
  const service = manifest(all, 'Service', deployment);
  const address = `${deployment}.${namespace}:${String(at(service, 'spec', 'ports', 0, 'port'))}`;
  const files = folders.flatMap((folder) =>
    readdirSync(new URL(folder, root)).map((name) => read(`${folder}/${name}`)),
  );
  for (const text of [readme, files.join('\n')]) {
    const addresses = [...text.matchAll(/scalerAddress: (\S+)/g)].map(([, found]) => found);
    expect([...new Set(addresses)]).toEqual([address]);
  }
});

it('lets only the Ingress of the host that it names in', () => {
  const ingress = manifest(installed('deploy/examples/github'), 'Ingress');
  expect(at(ingress, 'spec', 'rules', 0, 'host')).toBe('scaler.example.com');
  expect(at(ingress, 'spec', 'rules', 0, 'http', 'paths', 0, 'path')).toBe('/ingest/');
});

it('builds and pushes the image that the pods run', () => {
  const deployment = manifest(installed('README.md'), 'Deployment');
  const image = String(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image'));
  expect(readme).toContain(`docker build -t ${image} .\ndocker push ${image}\n`);
});

it('docs/operations.md has the names that a certificate of the server needs', () => {
  const { output } = run(
    tool('helm-4'),
    ['template', release, chart, '--namespace', namespace, ...kubeVersion, '--values', '-'],
    'tls: { enabled: true, certManager: { enabled: true, issuerRef: { name: internal } } }',
  );
  const certificate = manifest(parseManifests(output), 'Certificate', release);
  const names = z.array(z.string()).parse(at(certificate, 'spec', 'dnsNames'));
  const [, forKeda, forTest] =
    /`tls\.crt`, for `(\S+)` \(as in `scalerAddress`\) and\s+`(\S+)` \(`helm test`\)/.exec(
      read('docs/operations.md'),
    ) ?? [];
  expect(names).toEqual(expect.arrayContaining([forKeda, forTest]));
  const [, address = ''] = /scalerAddress: (\S+):6000/.exec(readme) ?? [];
  expect(forKeda).toBe(address);
});

it('docs/pods.md says what a pod requests and may use, and how KEDA and the chart spread', () => {
  const page = read('docs/pods.md');
  const values = parse(read('deploy/helm/backlog-scaler/values.yaml'));
  expect(at(values, 'resources')).toEqual({
    requests: { cpu: '100m', memory: '256Mi' },
    limits: { memory: '512Mi' },
  });
  expect(page).toContain('each pod requests 0.1 of a core and 256 MiB, and may use 512 MiB');
  expect(at(values, 'topologySpread', 'whenUnsatisfiable')).toBe('ScheduleAnyway');
  expect(page).toContain('`topologySpread.whenUnsatisfiable: DoNotSchedule`, or all may share a node');
  const service = manifest(installed('README.md'), 'Service', release);
  expect(at(service, 'spec', 'clusterIP')).toBe('None');
  expect(page).toContain('the Service is headless');
});
