import { expect, it, onTestFinished } from 'vitest';
import { IngestServer } from '../../src/ingest/server.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { ingestLimits, post, receiver, senders, startIngest } from '../support/ingest.ts';

const acme = receiver('acme', ['s3cret']);

it('is named where it is taken, and can be asked for again', async () => {
  const { port, server } = await startIngest([acme]);
  const address = { host: '127.0.0.1', port, maxConnections: 16 };
  const second = new IngestServer({
    address,
    events: { append: async () => {} },
    requests: { inc() {} },
    hint: () => false,
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
