import { expect, it, onTestFinished } from 'vitest';
import { IngestServer } from '../../src/ingest/server.ts';
import { webhookHeaders } from '../../src/sources/github/rules/webhook.ts';
import type { InboundEvent } from '../../src/sources/inbound.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { ingestLimits, post, receiver, senders, sign, startIngest } from '../support/ingest.ts';

const acme = receiver('acme', ['s3cret']);

it('is named if it is taken, and can be opened later', async () => {
  const { port, server } = await startIngest([acme]);
  const address = { host: '127.0.0.1', port, maxConnections: 16 };
  const second = new IngestServer({
    address,
    events: { append: async () => {} },
    requests: { inc() {} },
    hint: () => false,
    webhooks: [{ kind: 'github', headers: webhookHeaders }],
    log: silentLogger,
  });
  onTestFinished(() => second.drain(0));
  second.use(senders({ receivers: [acme] }), ingestLimits);
  await expect(second.listen(address)).rejects.toThrow(
    `ingest: cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`,
  );
  await server.drain(0);
  expect(await second.listen(address)).toBe(port);
  expect((await post(port, { body: '{}', secret: 's3cret' })).status).toBe(403);
});

it('accepts webhooks of another kind of source at its path, by its headers', async () => {
  const headers = {
    signature: 'X-Forge-Sign',
    event: 'X-Forge-Event',
    delivery: 'X-Forge-Id',
    hook: 'X-Forge-Hook',
  };
  const kept: InboundEvent[] = [];
  const server = new IngestServer({
    address: { host: '127.0.0.1', port: 0, maxConnections: 16 },
    events: { append: async (event) => void kept.push(event) },
    requests: { inc() {} },
    hint: () => false,
    webhooks: [
      { kind: 'github', headers: webhookHeaders },
      { kind: 'forge', headers },
    ],
    log: silentLogger,
  });
  onTestFinished(() => server.drain(0));
  server.use(senders({ receivers: [receiver('acme', ['s3cret'], { kind: 'forge' })] }), ingestLimits);
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  const body = '{"owner":"acme"}';
  const signed = { 'x-forge-sign': sign(body, 's3cret'), 'x-forge-event': 'workflow_job', 'x-forge-id': '7' };
  const path = '/ingest/forge/acme';
  expect((await post(port, { path, body, headers: signed })).status).toBe(202);
  expect(kept).toMatchObject([{ connection: 'acme', type: 'workflow_job', id: '7' }]);
  // Headers of one kind mean nothing to another, and a secret is valid only for its own kind.
  const unsigned = await post(port, { path, body, secret: 's3cret' });
  expect(unsigned).toMatchObject({
    status: 401,
    body: { error: expect.stringContaining('needs X-Forge-Sign') },
  });
  expect((await post(port, { path: '/ingest/github/acme', body, secret: 's3cret' })).status).toBe(401);
  expect(kept).toHaveLength(1);
});
