import { beforeAll, describe, expect, it } from 'vitest';
import { cases } from '../chart/cases.ts';
import { at } from '../chart/helm.ts';
import type { Api } from './api.ts';
import { makeNamespace } from './objects.ts';
import { Release } from './release.ts';
import { useCluster } from './use-cluster.ts';

const waitMs = 30_000;
/** The namespace of an Issuer in one of the cases. */
const namespace = 'scalers';
const deployment = 'wakes-backlog-scaler';
const labels = '?labelSelector=app.kubernetes.io%2Finstance%3Dwakes';

/** Every object of the release, in all namespaces, of all kinds that the server knows. */
async function ofRelease(api: Api): Promise<string[]> {
  const groups = list(at(await api.get('/apis'), 'groups'));
  const versions = groups.map((group) => `/apis/${at(group, 'preferredVersion', 'groupVersion')}`);
  const found = ['/api/v1', ...versions].map(async (version) => {
    const kinds = list(at(await api.get(version), 'resources'))
      .filter((one) => list(at(one, 'verbs')).includes('list'))
      .map((one) => String(at(one, 'name')));
    return await Promise.all(kinds.map((kind) => labelled(api, version, kind)));
  });
  return (await Promise.all(found)).flat(2);
}

async function labelled(api: Api, version: string, kind: string): Promise<string[]> {
  const items = list(at(await api.get(`${version}/${kind}${labels}`), 'items'));
  return items.map((item) => `${kind}/${at(item, 'metadata', 'name')}`);
}

/** Whether the Deployment's present template has a pod. If not, why. */
async function podsOf(api: Api): Promise<string> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`;
  const { metadata, status } = await api.get(path);
  const refused = list(at(status, 'conditions')).find((one) => at(one, 'type') === 'ReplicaFailure');
  if (refused !== undefined) return String(at(refused, 'message'));
  const seen = at(status, 'observedGeneration') === at(metadata, 'generation');
  return seen && Number(at(status, 'updatedReplicas')) > 0 ? 'made' : JSON.stringify(status);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

describe.for(['helm-3', 'helm-4'] as const)(
  'on an API server that takes restricted pods only, %s',
  (which) => {
    const cluster = useCluster();

    beforeAll(() => makeNamespace(cluster().api, namespace, { restricted: true }));

    it.for(Object.entries(cases))(
      'upgrades the default to this, rolls it back, and leaves nothing: %s',
      async ([_, values]) => {
        const { api } = cluster();
        const release = new Release(cluster(), which, namespace);
        const changes = [() => release.apply({}), () => release.apply(values), () => release.rollback(1)];
        try {
          for (const change of changes) {
            expect(await change()).not.toMatch(/warning/i);
            await expect.poll(() => podsOf(api), { timeout: waitMs }).toBe('made');
          }
          expect(await ofRelease(api)).toContain(`deployments/${deployment}`);
        } finally {
          await release.uninstall();
        }
        await expect.poll(() => ofRelease(api), { timeout: waitMs }).toEqual([]);
      },
    );
  },
);
