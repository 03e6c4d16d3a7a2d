import { expect, it } from 'vitest';
import { batch, binary, example } from '../support/cloudevents.ts';
import { authorized, send } from '../support/cloudevents-port.ts';
import { post } from '../support/ingest.ts';
import { IngestScaler } from '../support/ingest-scaler.ts';
import { ref } from '../support/rpc-client.ts';

const builds = { source: 'events', prefix: 'work' };
const ingest = {
  host: '127.0.0.1',
  port: 0,
  tokens: [{ name: 'ci', token: 'ci-t0ken-0123456789', connections: ['builds'] }],
};
const worker = ref('worker', { source: 'events', connection: 'builds', pool: 'deploys' });

it('the whole scaler turns CloudEvents into true on a stream, and the number follows', async () => {
  const running = await IngestScaler.start({ builds }, { ingest });
  const client = running.client();
  const stream = client.streamIsActive(worker);
  expect(await stream.next()).toEqual({ result: false });
  const event = (type: string) => binary({ 'ce-type': type });
  expect((await send(running.ingestPort, 'builds', event('work.started'))).status).toBe(202);
  expect(await stream.next()).toEqual({ result: true });
  const more = [1, 2, 3].map((item) => ({ ...example, type: 'work.started', source: `/item/${item}` }));
  expect((await send(running.ingestPort, 'builds', batch(more))).status).toBe(202);
  const { metricValues } = await client.getMetrics(worker, '');
  expect(metricValues[0]?.metricValueFloat).toBe(4);
  const metrics = await running.scaler.metrics.exposition();
  expect(metrics).toContain('backlog_scaler_ingest_requests_total{kind="events",outcome="accepted"} 2');
  expect(JSON.stringify(running.log.lines)).not.toContain('t0ken');
});

it('a sender without permission changes nothing, and its connection may be removed', async () => {
  const running = await IngestScaler.start({ builds }, { ingest });
  const path = '/ingest/events/builds';
  const { headers, body } = binary({ 'ce-type': 'work.started' });
  const status = async (more: object) =>
    (await post(running.ingestPort, { path, body, headers: { ...headers, ...more } })).status;
  expect(await status({ authorization: 'Bearer other' })).toBe(401);
  expect((await running.client().isActive(worker)).result).toBe(false);
  expect(await status(authorized)).toBe(202);
  await running.reload(
    { builds2: builds },
    { ingest: { ...ingest, tokens: [{ ...ingest.tokens[0], connections: ['builds2'] }] } },
  );
  expect(await status(authorized)).toBe(404);
});
