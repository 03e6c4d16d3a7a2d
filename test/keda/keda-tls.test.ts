import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { startServer } from '../support/rpc.ts';
import { addressed, eventually, useKeda } from './use-keda.ts';

const spec = { name: 's0-fake-orders-worker', metricType: 'AverageValue', target: 10 };

describe("KEDA's own client, over TLS", () => {
  const startKeda = useKeda();
  let dir = '';
  let certificates: Certificates;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'keda-tls-'));
    certificates = makeCertificates(dir);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const serverFiles = () => ({ certFile: certificates.server.cert, keyFile: certificates.server.key });
  const caCert = () => readFileSync(certificates.ca, 'utf8');
  const clientPair = () => ({
    caCert: caCert(),
    tlsClientCert: readFileSync(certificates.client.cert, 'utf8'),
    tlsClientKey: readFileSync(certificates.client.key, 'utf8'),
  });

  it('trusts the caCert of its TriggerAuthentication', async () => {
    const triggers = new FakeTriggers();
    triggers.known('orders-worker', 2);
    const { port } = await startServer(triggers, { tls: serverFiles() });
    const keda = startKeda();
    await keda.open('a', { ...addressed(port), authParams: { caCert: caCert() } });
    expect(await keda.spec('a')).toEqual([spec]);
    const { states } = await keda.run('a');
    await eventually(() => expect(states).toEqual([true]));
  });

  it('refuses an unknown authority, unless unsafeSsl is set too', async () => {
    const { port } = await startServer(new FakeTriggers(), { tls: serverFiles() });
    const keda = startKeda();
    await keda.open('strict', addressed(port, { enableTLS: 'true' }));
    await expect(keda.metrics('strict', spec.name)).rejects.toThrow(
      /certificate signed by unknown authority/,
    );
    await keda.open('lax', addressed(port, { enableTLS: 'true', unsafeSsl: 'true' }));
    expect(await keda.spec('lax')).toEqual([spec]);
  });

  it('speaks plaintext with unsafeSsl alone', async () => {
    const plain = await startServer(new FakeTriggers());
    const secure = await startServer(new FakeTriggers(), { tls: serverFiles() });
    const keda = startKeda();
    await keda.open('plain', addressed(plain.port, { unsafeSsl: 'true' }));
    expect(await keda.spec('plain')).toEqual([spec]);
    await keda.open('secure', addressed(secure.port, { unsafeSsl: 'true' }));
    await expect(keda.metrics('secure', spec.name)).rejects.toThrow(/code = Unavailable/);
  });

  it('is admitted only with its client certificate, and by name', async () => {
    const mutual = { ...serverFiles(), clientCaFile: certificates.ca };
    const triggers = new FakeTriggers();
    const open = await startServer(triggers, { tls: { ...mutual, allowedClientNames: ['keda-operator'] } });
    const shut = await startServer(triggers, { tls: { ...mutual, allowedClientNames: ['another'] } });
    const keda = startKeda();
    await keda.open('let in', { ...addressed(open.port), authParams: clientPair() });
    expect(await keda.spec('let in')).toEqual([spec]);
    await keda.open('no certificate', { ...addressed(open.port), authParams: { caCert: caCert() } });
    await expect(keda.metrics('no certificate', spec.name)).rejects.toThrow(/code = Unavailable/);
    await keda.open('another name', { ...addressed(shut.port), authParams: clientPair() });
    await expect(keda.metrics('another name', spec.name)).rejects.toThrow(/code = PermissionDenied/);
  });
});
