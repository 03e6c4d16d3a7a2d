import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { post, sign } from '../support/ingest.ts';
import { IngestScaler } from '../support/ingest-scaler.ts';
import { IngestSocket } from '../support/ingest-socket.ts';
import { ref } from '../support/rpc-client.ts';

const ci = { source: 'github', owner: 'acme', webhookSecret: 's3cret' };
const worker = ref('worker', { source: 'github', connection: 'ci', pool: 'linux' });

function send(port: number, action: 'queued' | 'completed', job: number, secret = 's3cret') {
  return post(port, { body: JSON.stringify({ action, owner: 'acme', job }), secret });
}

describe('the whole scaler', () => {
  it('turns a signed webhook into true on a stream, and the number follows', async () => {
    const running = await IngestScaler.start({ ci });
    const client = running.client();
    const stream = client.streamIsActive(worker);
    expect(await stream.next()).toEqual({ result: false });
    expect((await send(running.ingestPort, 'queued', 1)).status).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
    const { metricValues } = await client.getMetrics(worker, '');
    expect(metricValues[0]?.metricValueFloat).toBe(1);
    await send(running.ingestPort, 'completed', 1);
    await expect.poll(async () => (await client.isActive(worker)).result).toBe(false);
    const metrics = await running.scaler.metrics.exposition();
    expect(metrics).toContain('backlog_scaler_ingest_requests_total{kind="github",outcome="accepted"} 2');
  });

  it('opens no port without a connection for webhooks, and one with the first of these', async () => {
    const { webhookSecret: _, ...silent } = ci;
    const running = await IngestScaler.start({ ci: silent });
    expect(running.port('ingest')).toBeUndefined();
    await running.reload({ ci });
    await expect.poll(() => running.port('ingest')).toBeDefined();
    const port = running.ingestPort;
    expect((await send(port, 'queued', 1)).status).toBe(202);
    await running.reload({ ci: silent });
    expect((await send(port, 'queued', 1)).status).toBe(401);
    await running.reload({ ci });
    expect((await send(port, 'queued', 1)).status).toBe(202);
  });

  it('accepts both secrets while one is replaced, from their files, and gives kept events to the connection that is opened again', async () => {
    const files = { old: 's3cret\n', new: 'n3xt\n' };
    const { webhookSecret: _, ...place } = ci;
    const running = await IngestScaler.start({ ci: { ...place, webhookSecretFile: 'old' } }, {}, files);
    const port = running.ingestPort;
    await send(port, 'queued', 1);
    await send(port, 'queued', 2);
    await running.reload({ ci: { ...place, webhookSecretFiles: ['old', 'new'] } });
    expect((await send(port, 'completed', 2, 'n3xt')).status).toBe(202);
    expect((await send(port, 'queued', 3)).status).toBe(202);
    await running.reload({ ci: { ...place, webhookSecretFiles: ['new'] } });
    expect((await send(port, 'queued', 4)).status).toBe(401);
    const { metricValues } = await running.client().getMetrics(worker, '');
    expect(metricValues[0]?.metricValueFloat).toBe(2);
    expect(JSON.stringify(running.log.lines)).not.toMatch(/s3cret|n3xt/);
  });

  it('does not start if the port is taken, and refuses a reload that needs it, with nothing changed', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const ingest = { host: '127.0.0.1', port };
    await expect(IngestScaler.start({ ci }, { ingest })).rejects.toThrow(
      `ingest: cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`,
    );
    const running = await IngestScaler.start({}, { ingest });
    const level = running.log.level;
    await running.reload({ ci }, { ingest, log: { level: 'warn' } });
    expect(running.log.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'the changed configuration was refused; the old one stays',
      fields: { faults: [expect.stringMatching(`^ingest: cannot listen on 127.0.0.1:${port}: `)] },
    });
    expect(running.log.level).toBe(level);
    await expect(running.client().getMetrics(worker, '')).rejects.toMatchObject({ code: 3 });
    await new Promise((resolve) => taken.close(resolve));
    await running.reload({ ci }, { ingest, log: { level: 'warn' } });
    expect([running.port('ingest'), running.log.level]).toEqual([port, 'warn']);
  });

  it('stops accepting webhooks first, except one that is on its way', async () => {
    const running = await IngestScaler.start({ ci });
    const stream = running.client().streamIsActive(worker);
    await stream.next();
    const body = JSON.stringify({ action: 'queued', owner: 'acme', job: 1 });
    const sender = new IngestSocket(running.ingestPort);
    const headers = { 'content-length': body.length, 'x-hub-signature-256': sign(body, 's3cret') };
    // Two on one connection. When the first is answered, the second has begun.
    sender.head(headers);
    sender.write(body);
    sender.head(headers);
    sender.write(body.slice(0, 10));
    await expect.poll(() => sender.status).toBe(202);
    expect(await stream.next()).toEqual({ result: true });
    const stopped = running.scaler.stop('test');
    await expect(send(running.ingestPort, 'queued', 2)).rejects.toThrow(/ECONN/);
    sender.write(body.slice(10));
    await expect.poll(() => sender.said.match(/202 Accepted/g)).toHaveLength(2);
    expect((await stream.ended).code).toBe(0);
    await stopped;
  });

  it('forgets the remaining quota of a connection that is gone', async () => {
    const running = await IngestScaler.start({ ci });
    await send(running.ingestPort, 'queued', 1);
    const quota = async () =>
      /^backlog_scaler_source_rate_limit_remaining.*$/m.exec(await running.scaler.metrics.exposition())?.[0];
    expect(await quota()).toBe(
      'backlog_scaler_source_rate_limit_remaining{source="github",connection="ci"} 4999',
    );
    await running.reload({ other: ci });
    await expect.poll(quota).toBe(undefined);
  });
});
