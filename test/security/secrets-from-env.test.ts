import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status as Code, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { ref, TestClient } from '../support/rpc-client.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const value = 'hunter2-of-the-workload';
const connections = { orders: { source: 'kafka', bootstrapServers: ['127.0.0.1:1'] } };
const harmless = { source: 'kafka', connection: 'orders', consumerGroup: 'billing', topic: 'orders' };
const withSecret = ref('worker', { ...harmless, passwordFromEnv: value });

let directory = '';
let certificates: Certificates;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'secrets-'));
  certificates = makeCertificates(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function start(settings: object = {}): Promise<WholeScaler> {
  const scaler = await WholeScaler.start({ connections, ...settings });
  onTestFinished(() => scaler.stop());
  return scaler;
}

/** How each of the five RPCs ends. A served one counts as OK. */
async function ends(client: TestClient): Promise<{ code: Code; details: string }[]> {
  const status = (reason: { code: Code; details: string }) => reason;
  const metrics = await client.getMetrics(withSecret, '').catch(status);
  const active = await client.isActive(withSecret).catch(status);
  const spec = await client.getMetricSpec(withSecret).catch(status);
  const all = [metrics, active, spec].map((one) => ('code' in one ? one : { code: Code.OK, details: '' }));
  const streams = [client.streamIsActive(withSecret), client.streamMetricSpec(withSecret)];
  return [...all, ...(await Promise.all(streams.map(({ ended }) => ended)))];
}

describe('a secret that KEDA took from the environment of a workload', () => {
  it('is refused over plaintext gRPC, on every RPC, and never shown', async () => {
    const scaler = await start({ log: { level: 'trace' } });
    const all = await ends(scaler.client);
    for (const { code, details } of all) {
      expect(code).toBe(Code.INVALID_ARGUMENT);
      expect(details).toContain('trigger of shop/worker: passwordFromEnv: is a secret');
      expect(details).toMatch(/take it out .* grpc\.tls, or security\.allowPlaintextSecrets/);
    }
    const said = JSON.stringify([all, scaler.log.lines]);
    const shown = await Promise.all(
      ['/metrics', '/api/triggers'].map(async (path) =>
        (await fetch(`http://127.0.0.1:${scaler.port('admin')}${path}`)).text(),
      ),
    );
    expect([said, ...shown].join()).not.toContain(value);
  });

  it('is accepted over TLS, and over mTLS, and never shown', async () => {
    const { ca, server, client } = certificates;
    const files = { certFile: server.cert, keyFile: server.key };
    for (const tls of [files, { ...files, clientCaFile: ca }]) {
      const scaler = await start({ grpc: { host: '127.0.0.1', port: 0, tls } });
      const channel = credentials.createSsl(
        readFileSync(ca),
        readFileSync(client.key),
        readFileSync(client.cert),
      );
      const keda = new TestClient(`127.0.0.1:${scaler.port('grpc')}`, channel);
      onTestFinished(() => keda.close());
      const { metricSpecs } = await keda.getMetricSpec(withSecret);
      expect(metricSpecs).toHaveLength(1);
      // The missing broker is mentioned, the secret is not.
      await expect(keda.isActive(withSecret)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
      const api = await fetch(`http://127.0.0.1:${scaler.port('admin')}/api/triggers`);
      expect(`${JSON.stringify(scaler.log.lines)}${await api.text()}`).not.toContain(value);
    }
  });

  it('is accepted over plaintext if that is configured, from one reload to the next', async () => {
    const scaler = await start({ security: { allowPlaintextSecrets: true } });
    expect((await scaler.client.getMetricSpec(withSecret)).metricSpecs).toHaveLength(1);
    await scaler.reload({ connections, security: { allowPlaintextSecrets: false } });
    await expect(scaler.client.getMetricSpec(withSecret)).rejects.toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
    await scaler.reload({ connections, security: { allowPlaintextSecrets: true } });
    expect((await scaler.client.getMetricSpec(withSecret)).metricSpecs).toHaveLength(1);
  });

  it('does not keep a trigger without one from being served', async () => {
    const scaler = await start();
    const plain = ref('worker', { ...harmless, topicFromEnv: 'ignored: topic wins', username: 'u' });
    expect((await scaler.client.getMetricSpec(plain)).metricSpecs).toHaveLength(1);
  });
});
