import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseManifests } from '../chart/helm.ts';
import { makeCertificates, type Pair } from '../support/certificates.ts';
import { makeNamespace, makeSecret } from './objects.ts';
import { Release } from './release.ts';
import { Replicas } from './replicas.ts';
import { makeScaledObject } from './scaled.ts';
import { Scaler } from './scaler.ts';
import { useRunningCluster } from './use-cluster.ts';
import { useSqsServer } from './use-sqs-server.ts';

const waitMs = 60_000;
const clientSecret = 'backlog-scaler-client';

describe('KEDA, with the output of the release’s notes', () => {
  const cluster = useRunningCluster();
  const sqs = useSqsServer();

  it('calls by mTLS, and wakes', async () => {
    const { api, directory } = cluster();
    const { queues, url } = sqs();
    await mkdir(join(directory, 'tls'));
    const { ca, server, client } = makeCertificates(join(directory, 'tls'));
    const authority = { 'ca.crt': readFileSync(ca, 'utf8') };
    const shop = await makeNamespace(api, 'shop');
    const namespace = await makeNamespace(api, 'scalers', { restricted: true });
    await makeSecret(api, namespace, 'server', pem(server));
    await makeSecret(api, namespace, 'clients', authority);
    for (const each of [namespace, shop, 'keda'])
      await makeSecret(api, each, clientSecret, { ...pem(client), ...authority });
    const release = new Release(cluster(), 'helm-4', namespace);
    const scaler = await Scaler.prepare(api, namespace, { sqs: url });
    const tls = {
      enabled: true,
      existingSecret: 'server',
      clientCaSecret: 'clients',
      allowedClientNames: ['keda-operator'],
    };
    const values = { ...scaler.values, tls, helmTest: { clientSecret } };
    await release.apply(values, '--wait', '--timeout', '60s');
    expect(await release.test()).toMatch(/Phase:\s+Succeeded/);

    const printed = [
      ...(await release.notes()).matchAll(/^ {2}apiVersion: keda\.sh.*\n(?: {4,}.*\n| {2}\S.*\n)+/gm),
    ];
    const authentications = printed.flatMap(([text]) => parseManifests(text));
    expect(authentications.map(({ kind }) => kind)).toEqual([
      'ClusterTriggerAuthentication',
      'TriggerAuthentication',
    ]);
    const queue = await queues.create();
    for (const authentication of authentications) {
      const kind = String(authentication['kind']);
      const scope = kind.startsWith('Cluster') ? '' : `/namespaces/${shop}`;
      await api.create(`/apis/keda.sh/v1alpha1${scope}/${kind.toLowerCase()}s`, authentication);
      const authenticationRef = { name: 'wakes-backlog-scaler', kind };
      const trigger = { ...scaler.trigger(queues, queue), authenticationRef };
      await makeScaledObject(api, { namespace: shop, name: kind.toLowerCase(), trigger });
    }
    const plain = scaler.trigger(queues, queue);
    await makeScaledObject(api, { namespace: shop, name: 'plaintext', trigger: plain });
    await expect.poll(() => scaler.streams('StreamIsActive'), { timeout: waitMs }).toBe(2);

    const replicas = new Replicas(api, shop);
    await queues.send(queue, 5);
    await scaler.hint(queue);
    for (const name of ['clustertriggerauthentication', 'triggerauthentication'])
      await expect.poll(() => replicas.last(name), { timeout: waitMs }).toBe(1);
    expect(replicas.last('plaintext')).toBe(0);
    replicas.stop();
    await release.uninstall();
  });
});

function pem({ cert, key }: Pair): Record<string, string> {
  return { 'tls.crt': readFileSync(cert, 'utf8'), 'tls.key': readFileSync(key, 'utf8') };
}
