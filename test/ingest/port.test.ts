import { expect, it, onTestFinished } from 'vitest';
import { IngestServer } from '../../src/ingest/server.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { ingestLimits, post, receiver, senders, startIngest } from '../support/ingest.ts';

const acme = receiver('acme', ['s3cret']);

it('is named where it is taken, and can be asked for again', async () => {
  const { port, server } = await startIngest([acme]);
  const second = new IngestServer({
    events: { append: async () => {} },
    requests: { inc() {} },
    hint: () => false,
    log: silentLogger,
    maxConnections: 16,
  });
  onTestFinished(() => second.drain(0));
  second.use(senders({ receivers: [acme] }), ingestLimits);
  await expect(second.listen({ host: '127.0.0.1', port })).rejects.toThrow(
    `ingest: cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`,
  );
  expect(second.wantsPort).toBe(true);
  await server.drain(0);
  expect(await second.listen({ host: '127.0.0.1', port })).toBe(port);
  expect(second.wantsPort).toBe(false);
  expect((await post(port, { body: '{}', secret: 's3cret' })).status).toBe(403);
});

it('is wanted from the first connection that takes webhooks', () => {
  const server = new IngestServer({
    events: { append: async () => {} },
    requests: { inc() {} },
    hint: () => false,
    log: silentLogger,
    maxConnections: 16,
  });
  expect(server.wantsPort).toBe(false);
  server.use(senders({ receivers: [acme] }), ingestLimits);
  expect(server.wantsPort).toBe(true);
});
