import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status as Code, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { FakeTriggers } from '../support/fake-triggers.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { startServer } from '../support/rpc.ts';
import { ref } from '../support/rpc-client.ts';

const root = mkdtempSync(join(tmpdir(), 'client-authority-'));
let ours: Certificates;
let next: Certificates;

beforeAll(() => {
  ours = makeCertificates(mkdtempSync(join(root, 'ours-')));
  next = makeCertificates(mkdtempSync(join(root, 'next-')));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Trusts our server, and shows a client's certificate of this authority. */
function channelOf({ client }: Certificates) {
  return credentials.createSsl(readFileSync(ours.ca), readFileSync(client.key), readFileSync(client.cert));
}

it('a replaced client authority admits its clients and refuses new ones of the old, while open streams stay', async () => {
  const clientCaFile = join(root, 'clients.crt');
  copyFileSync(ours.ca, clientCaFile);
  const triggers = new FakeTriggers();
  triggers.known('a', 0);
  const log = recordingLogger();
  const { connect } = await startServer(triggers, {
    tls: { certFile: ours.server.cert, keyFile: ours.server.key, clientCaFile },
    times: { certificateRefreshMs: 10 },
    log,
  });
  const before = connect(channelOf(ours));
  const stream = before.streamIsActive(ref('a'));
  expect(await stream.next()).toEqual({ result: false });
  await expect(connect(channelOf(next)).isActive(ref('a'))).rejects.toMatchObject({ code: Code.UNAVAILABLE });

  copyFileSync(next.ca, clientCaFile);
  await vi.waitFor(() => expect(log.messages('info')).toContain('loaded the changed gRPC certificates'));
  expect(await connect(channelOf(next)).isActive(ref('a'))).toEqual({ result: false });
  await expect(connect(channelOf(ours)).isActive(ref('a'))).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  triggers.known('a', 1);
  expect(await stream.next()).toEqual({ result: true });
});
