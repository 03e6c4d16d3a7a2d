import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type ChannelCredentials, Client, status as Code, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Certificates, Pair } from '../support/certificates.ts';
import { makeCertificates } from '../support/certificates.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { startServer, type TestServer } from '../support/rpc.ts';
import { ref, type TestClient } from '../support/rpc-client.ts';

const root = mkdtempSync(join(tmpdir(), 'tls-'));
let ours: Certificates;
let others: Certificates;
let intruder: Certificates;

beforeAll(() => {
  ours = makeCertificates(subdir('ours'));
  others = makeCertificates(subdir('others'));
  intruder = makeCertificates(subdir('intruder'), { authority: ours.ca, clientName: 'intruder' });
});
afterAll(() => rmSync(root, { recursive: true }));

function subdir(name: string): string {
  return mkdtempSync(join(root, name));
}

function channel({ ca }: Certificates, pair?: Pair): ChannelCredentials {
  if (pair === undefined) return credentials.createSsl(readFileSync(ca));
  return credentials.createSsl(readFileSync(ca), readFileSync(pair.key), readFileSync(pair.cert));
}

function triggers(): FakeTriggers {
  const made = new FakeTriggers();
  made.known('a', 1);
  return made;
}

async function works(client: TestClient): Promise<void> {
  expect(await client.isActive(ref('a'))).toEqual({ result: true });
}

async function fails(client: TestClient): Promise<void> {
  await expect(client.isActive(ref('a'))).rejects.toMatchObject({ code: Code.UNAVAILABLE });
}

describe('TLS', () => {
  it('33 TLS with a server certificate; a client that trusts another authority does not get in', async () => {
    const { cert: certFile, key: keyFile } = ours.server;
    const { connect, metrics } = await startServer(triggers(), { tls: { certFile, keyFile } });
    await works(connect(channel(ours)));
    await fails(connect(channel(others)));
    await fails(connect());
    const { validTo } = new X509Certificate(readFileSync(certFile));
    const { values } = await metrics.tlsCertificateExpiry.get();
    expect(values.map(({ value }) => value)).toEqual([Date.parse(validTo) / 1000]);
  });

  it('33 mTLS: a client certificate of the authority is required', async () => {
    const { cert: certFile, key: keyFile } = ours.server;
    const { connect } = await startServer(triggers(), { tls: { certFile, keyFile, clientCaFile: ours.ca } });
    await works(connect(channel(ours, ours.client)));
    await fails(connect(channel(ours)));
    await fails(connect(channel(ours, others.client)));
  });

  it('33 an expired client certificate does not get in', async () => {
    const { cert: certFile, key: keyFile } = ours.server;
    const expired = makeCertificates(subdir('expired'), { authority: ours.ca, expired: true });
    const { connect } = await startServer(triggers(), { tls: { certFile, keyFile, clientCaFile: ours.ca } });
    await fails(connect(channel(ours, expired.client)));
  });

  it('33 mTLS with names: another name of the same authority is PERMISSION_DENIED, on streams too', async () => {
    const { cert: certFile, key: keyFile } = ours.server;
    const tls = {
      certFile,
      keyFile,
      clientCaFile: ours.ca,
      allowedClientNames: ['spiffe://cluster.local/keda-operator'],
    };
    const { connect } = await startServer(triggers(), { tls });
    await works(connect(channel(ours, ours.client)));
    const client = connect(channel(ours, intruder.client));
    const denied = { code: Code.PERMISSION_DENIED, details: expect.stringContaining('intruder') };
    await expect(client.isActive(ref('a'))).rejects.toMatchObject(denied);
    await expect(client.getMetricSpec(ref('a'))).rejects.toMatchObject(denied);
    await expect(client.getMetrics(ref('a'), '')).rejects.toMatchObject(denied);
    expect(await client.streamIsActive(ref('a')).ended).toMatchObject(denied);
    expect(await client.streamMetricSpec(ref('a')).ended).toMatchObject(denied);
  });

  it.each([
    '/externalscaler.ExternalScaler/IsActive',
    '/externalscaler.ExternalScaler/StreamIsActive',
    '/grpc.health.v1.Health/Check',
    '/grpc.health.v1.Health/Watch',
    '/grpc.health.v1.Health/List',
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
    '/externalscaler.ExternalScaler/NoMethod',
  ])(
    '33 mTLS with names: another name is PERMISSION_DENIED on %s before its request is read',
    async (path) => {
      const { cert: certFile, key: keyFile } = ours.server;
      const tls = { certFile, keyFile, clientCaFile: ours.ca, allowedClientNames: ['keda-operator'] };
      const { port, server } = await startServer(triggers(), { tls });
      const client = new Client(`127.0.0.1:${port}`, channel(ours, intruder.client));
      const same = (bytes: Buffer): Buffer => bytes;
      // Only the head of the call is sent.
      const call = client.makeBidiStreamRequest(path, same, same);
      call.on('error', () => {});
      call.resume();
      const status = await new Promise((resolve) => call.on('status', resolve));
      expect(status).toMatchObject({
        code: Code.PERMISSION_DENIED,
        details: expect.stringMatching(
          /is for intruder, .*; grpc\.tls\.allowedClientNames allows keda-operator$/,
        ),
      });
      expect(server.openCalls).toBe(0);
      client.close();
    },
  );

  it('33 TLS 1.2 minimum', async () => {
    const { cert: certFile, key: keyFile } = ours.server;
    const { port } = await startServer(triggers(), { tls: { certFile, keyFile } });
    await expect(handshake(port, 'TLSv1.2')).resolves.toBe('TLSv1.2');
    await expect(handshake(port, 'TLSv1.1')).rejects.toThrow();
  });

  it('33 cert rotation: new connections get the new certificate, open streams stay', async () => {
    const { server, files, log } = await rotating();
    const { client, connect, metrics } = server;
    client.close();
    const before = connect(channel(ours));
    const stream = before.streamIsActive(ref('a'));
    await stream.next();

    install(files, others);
    await vi.waitFor(
      () => expect(log.messages('info')).toContain('loaded the changed gRPC certificates'),
      5000,
    );
    await works(connect(channel(others)));
    await fails(connect(channel(ours)));
    await works(before);
    expect(stream.messages).toHaveLength(1);
    const { validTo } = new X509Certificate(readFileSync(others.server.cert));
    const { values } = await metrics.tlsCertificateExpiry.get();
    expect(values.map(({ value }) => value)).toEqual([Date.parse(validTo) / 1000]);
  });

  it.each([
    ['half written', (files: Files) => copyFileSync(others.server.cert, files.certFile), 'keyFile'],
    ['not PEM', (files: Files) => writeFileSync(files.certFile, 'gone wrong'), 'certFile'],
    ['missing', (files: Files) => rmSync(files.keyFile), 'keyFile'],
    [
      'expired',
      (files: Files) => install(files, makeCertificates(subdir('old'), { expired: true })),
      'ended on',
    ],
  ])(
    '33 cert rotation: new files that are %s are refused, the old ones stay, said once',
    async (_, spoil, said) => {
      const { server, files, log } = await rotating();
      spoil(files);
      await vi.waitFor(() => expect(log.text()).toContain(said), 5000);
      await sleep(100);
      await works(server.connect(channel(ours)));
      install(files, others);
      await vi.waitFor(() => expect(log.messages('info')).toHaveLength(1), 5000);
      // A look between the two copies of an install() sees a pair that does not match.
      expect(log.messages('warn').length).toBeLessThanOrEqual(3);
      expect(log.text()).not.toContain('PRIVATE');
      await works(server.connect(channel(others)));
    },
  );

  it('files that cannot be used at start are an error that names the setting', async () => {
    const { cert: certFile, key: keyFile } = ours.server;
    const start = (tls: Files & { clientCaFile?: string }): Promise<TestServer> =>
      startServer(triggers(), { tls });
    await expect(start({ certFile, keyFile: others.server.key })).rejects.toThrow(
      /^grpc\.tls\.keyFile .* is not the .* key/,
    );
    await expect(start({ certFile: '/nowhere', keyFile })).rejects.toThrow(/^grpc\.tls\.certFile: ENOENT/);
    await expect(start({ certFile, keyFile, clientCaFile: keyFile })).rejects.toThrow(
      /^grpc\.tls\.clientCaFile .* is not a PEM/,
    );
  });
});

interface Files {
  certFile: string;
  keyFile: string;
}

function install({ certFile, keyFile }: Files, { server }: Certificates): void {
  copyFileSync(server.key, keyFile);
  copyFileSync(server.cert, certFile);
}

/** A server over copies of the files, which it checks all the time. */
async function rotating() {
  const dir = subdir('rotating');
  const files = { certFile: join(dir, 'tls.crt'), keyFile: join(dir, 'tls.key') };
  install(files, ours);
  const log = recordingLogger();
  const server = await startServer(triggers(), { tls: files, times: { certificateRefreshMs: 10 }, log });
  return { server, files, log };
}

function handshake(port: number, version: 'TLSv1.1' | 'TLSv1.2'): Promise<string | null> {
  return new Promise((resolve, reject) => {
    // Security level 0. Otherwise this side itself would refuse TLS 1.1.
    const limits = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
      ...limits,
    });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
  });
}
