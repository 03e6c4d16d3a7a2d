import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { at, parseManifests } from '../chart/helm.ts';
import { useCluster } from './use-cluster.ts';

const examples = fileURLToPath(new URL('../../deploy/examples/', import.meta.url));
/** Foreign kinds whose definitions are in no available Go module. */
const unknown = ['Sensor', 'Application'];

const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter((name) => {
  if (!name.endsWith('.yaml')) return false;
  const manifests = parseManifests(readFileSync(join(examples, name), 'utf8'));
  return manifests.every(({ kind }) => typeof kind === 'string' && !unknown.includes(kind));
});

const cluster = useCluster();

it('the API server accepts every manifest of deploy/examples unchanged', async () => {
  const { api, programs, kubeconfig } = cluster();
  const namespaces = files.flatMap((name) =>
    parseManifests(readFileSync(join(examples, name), 'utf8')).map((one) =>
      String(at(one, 'metadata', 'namespace')),
    ),
  );
  for (const name of new Set(namespaces)) await api.create('/api/v1/namespaces', { metadata: { name } });
  expect(files.length).toBeGreaterThan(6);
  for (const name of files) {
    const args = [
      'apply',
      '--server-side',
      '--dry-run=server',
      '--validate=strict',
      '-f',
      join(examples, name),
    ];
    const { stdout, stderr } = await promisify(execFile)(programs.kubectl, [
      '--kubeconfig',
      kubeconfig,
      ...args,
    ]);
    expect(stdout, name).toContain('(server dry run)');
    expect(stderr, name).toBe('');
  }
});
