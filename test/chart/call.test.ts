import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { startServer } from '../support/rpc.ts';
import { WholeScaler } from '../support/whole-scaler.ts';
import { chart, type Ended } from './helm.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = readFileSync(join(chart, 'files/test.cjs'), 'utf8');

/** Runs the command of the `helm test` pod, in the folder with the image's files. */
function call(settings: object, environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const args = ['--eval', script, JSON.stringify(settings)];
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...environment } });
  let output = '';
  const add = (text: Buffer): void => {
    output += text.toString();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

describe('the call of helm test', () => {
  async function whole(): Promise<WholeScaler> {
    const scaler = await WholeScaler.start({
      connections: { jobs: { source: 'sqs', region: 'eu-central-1' } },
    });
    onTestFinished(() => scaler.stop());
    return scaler;
  }

  it('passes if the scaler serves and refuses what it must', async () => {
    const scaler = await whole();
    expect(await call({ address: `127.0.0.1:${scaler.port('grpc')}` })).toEqual({
      ok: true,
      output: 'the scaler is serving\na trigger without a source is refused, as it must be\n',
    });
  });

  it('prints the metric of a trigger', async () => {
    const scaler = await whole();
    const metadata = { source: 'sqs', connection: 'jobs', queueURL: 'builds', awsRegion: 'eu-central-1' };
    const address = `127.0.0.1:${scaler.port('grpc')}`;
    expect(await call({ address, trigger: { metadata } })).toEqual({
      ok: true,
      output: "the scaler is serving\nthe trigger's metric is sqs-builds\n",
    });
    const wrong = await call({ address, trigger: { metadata: { ...metadata, connection: 'other' } } });
    expect(wrong.ok).toBe(false);
    expect(wrong.output).toMatch(/connection/);
  });

  it('fails if nobody answers', async () => {
    const { ok } = await call({ address: '127.0.0.1:1' });
    expect(ok).toBe(false);
  });

  it('asks whether the scaler is ready if it cannot call', async () => {
    const scaler = await whole();
    const url = `http://127.0.0.1:${scaler.port('admin')}`;
    expect((await call({ readyUrl: `${url}/readyz` })).ok).toBe(true);
    expect((await call({ readyUrl: `${url}/nothing` })).ok).toBe(false);
  });

  describe('with TLS', () => {
    let dir = '';
    let certificates: Certificates;

    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'backlog-scaler-call-'));
      certificates = makeCertificates(dir);
      // Named as the keys of a Secret.
      symlinkSync(certificates.client.cert, join(dir, 'tls.crt'));
      symlinkSync(certificates.client.key, join(dir, 'tls.key'));
    });

    afterAll(() => rmSync(dir, { recursive: true }));

    it.each([
      { needsClientCertificate: true, ok: true },
      { needsClientCertificate: false, ok: false },
    ])('shows a certificate: $needsClientCertificate', async ({ needsClientCertificate, ok }) => {
      const { ca, server } = certificates;
      const tls = { certFile: server.cert, keyFile: server.key, clientCaFile: ca };
      const { port } = await startServer(new FakeTriggers(), { tls });
      const ended = await call({
        address: `localhost:${port}`,
        tlsDir: dir,
        needsClientCertificate,
      });
      expect(ended.ok, ended.output).toBe(ok);
    });

    it.each([true, false])(
      'knows an authority that no Secret names, where gRPC knows it: %j',
      async (known) => {
        const { ca, server } = certificates;
        const { port } = await startServer(new FakeTriggers(), {
          tls: { certFile: server.cert, keyFile: server.key },
        });
        const tlsDir = mkdtempSync(join(tmpdir(), 'backlog-scaler-call-'));
        onTestFinished(() => rmSync(tlsDir, { recursive: true }));
        const settings = { address: `localhost:${port}`, tlsDir, needsClientCertificate: false };
        const { ok, output } = await call(settings, known ? { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: ca } : {});
        expect(ok, output).toBe(known);
        expect(output).not.toContain('ENOENT');
      },
    );
  });
});
