import { connect } from 'node:net';
import { status as Code } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ExternalScaler } from '../../src/grpc/contract.ts';
import { ref } from '../support/rpc-client.ts';
import { WholeScaler } from '../support/whole-scaler.ts';

const token = 'reader-0123456789';
const address = { host: '127.0.0.1', port: 0 };
const settings = {
  admin: { ...address, token },
  ingest: {
    ...address,
    tokens: [{ name: 'producer', token: 'pr0ducer-0123456789', connections: ['orders'] }],
  },
  connections: { orders: { source: 'kafka', bootstrapServers: ['127.0.0.1:1'], namespaces: ['shop'] } },
};
const kafka = { source: 'kafka', consumerGroup: 'g', topic: 't' };
const servers = ['grpc', 'admin', 'ingest'] as const;

async function start(more: object = {}): Promise<WholeScaler> {
  const scaler = await WholeScaler.start({ ...settings, ...more });
  onTestFinished(() => scaler.stop());
  return scaler;
}

async function statusOf(port: number, path: string, init: RequestInit = {}): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`, init)).status;
}

/** Sends bytes and waits until the server has ended the connection, or for a moment. */
function send(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
    socket.setTimeout(200, () => socket.destroy());
  });
}

describe('a pod that reaches the ports', () => {
  it('finds nothing on gRPC that changes anything: five RPCs that read', () => {
    expect(Object.keys(ExternalScaler.service).sort()).toEqual([
      'GetMetricSpec',
      'GetMetrics',
      'IsActive',
      'StreamIsActive',
      'StreamMetricSpec',
    ]);
  });

  it('can use any namespace while gRPC requires no certificate', async () => {
    const { client } = await start();
    const named = { ...kafka, connection: 'orders' };
    const elsewhere = { ...ref('made-up', named), namespace: 'bank' };
    await expect(client.getMetricSpec(elsewhere)).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
    expect((await client.getMetricSpec(ref('made-up', named))).metricSpecs).toHaveLength(1);
  });

  it('reads nothing at the admin port without its token, except whether it lives', async () => {
    const scaler = await start();
    const port = scaler.port('admin');
    for (const path of ['/metrics', '/api/triggers']) {
      expect([path, await statusOf(port, path)]).toEqual([path, 401]);
      expect(await statusOf(port, path, { headers: { authorization: 'Bearer guess' } })).toBe(401);
    }
    expect(await statusOf(port, '/livez')).toBe(200);
    expect(await statusOf(port, '/metrics', { headers: { authorization: `Bearer ${token}` } })).toBe(200);
  });

  it('changes nothing at the admin port, with the token or without', async () => {
    const port = (await start()).port('admin');
    const headers = { authorization: `Bearer ${token}` };
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const path of ['/metrics', '/api/triggers', '/livez', '/readyz', '/ingest/hint/orders']) {
        const status = await statusOf(port, path, { method, headers });
        expect(status, `${method} ${path}`).toBeGreaterThanOrEqual(400);
        expect(status, `${method} ${path}`).toBeLessThan(500);
      }
    }
  });

  it('finds nothing of the admin port at the ingest port', async () => {
    const port = (await start()).port('ingest');
    for (const path of ['/metrics', '/api/triggers', '/livez', '/readyz']) {
      expect([path, await statusOf(port, path)]).toEqual([path, 404]);
    }
  });

  it.each(servers)('cannot end it with invalid bytes: %s', async (server) => {
    const scaler = await start();
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const garbage = Buffer.alloc(65_536, 0xff);
    const hello = Buffer.from('160301020001000000', 'hex');
    const post = Buffer.from('POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n');
    const heads = Buffer.from(`GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(20_000)}\r\n`);
    for (const bytes of [garbage, hello, post, heads, preface, Buffer.concat([preface, garbage])]) {
      await send(scaler.port(server), bytes);
    }
    expect((await scaler.client.getMetricSpec(ref('w', kafka))).metricSpecs).toHaveLength(1);
    expect(await statusOf(scaler.port('admin'), '/readyz')).toBe(200);
    expect(await statusOf(scaler.port('ingest'), '/ingest/hint/orders', { method: 'POST' })).toBe(401);
  });

  it('takes no place from existing triggers when it fills the table', async () => {
    const { client } = await start({ limits: { triggers: 3, coldReadTimeoutMs: 50 } });
    const ours = client.streamMetricSpec(ref('ours', kafka));
    await ours.next();
    const first = await client.isActive(ref('ours', kafka)).catch((error: unknown) => error);
    expect(first).toMatchObject({ code: Code.UNAVAILABLE });
    const codes: unknown[] = [];
    for (let made = 0; made < 5; made += 1) {
      const reason = await client.isActive(ref(`made-up-${made}`, kafka)).catch((error: unknown) => error);
      codes.push(reason instanceof Error && 'code' in reason ? reason.code : reason);
    }
    expect(codes).toContain(Code.RESOURCE_EXHAUSTED);
    // Its broker does not exist, so it is served as before: with that error.
    await expect(client.isActive(ref('ours', kafka))).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });
});
