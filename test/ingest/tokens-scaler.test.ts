import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { post } from '../support/ingest.ts';
import { IngestScaler } from '../support/ingest-scaler.ts';
import { serviceOf } from '../support/queue-source.ts';
import { ref } from '../support/rpc-client.ts';
import { topic } from '../support/sns.ts';

const address = { host: '127.0.0.1', port: 0 };
const trigger = (queue: string) => ref('worker', { source: 'queues', connection: 'jobs', queue });

/** A connection to a service of its own, with an empty queue. */
function place() {
  const service = randomUUID();
  serviceOf(service).queues.set('orders', { visible: 0, inFlight: 0 });
  return { jobs: { source: 'queues', service }, queues: serviceOf(service).queues };
}

const ingest = (...tokens: object[]) => ({ ingest: { ...address, tokens } });
const from = (tokenFile: string) => ({ name: 'producer', tokenFile, connections: ['jobs'] });

async function hint(port: number, token: string, path = '/ingest/hint/jobs/orders'): Promise<number> {
  return (await post(port, { path, headers: { authorization: `Bearer ${token}` } })).status;
}

it('the whole scaler turns a hint into true on a stream', async () => {
  const { jobs, queues } = place();
  const running = await IngestScaler.start({ jobs }, ingest(from('token')), {
    token: 'pr0ducer-0123456789\n',
  });
  const stream = running.client().streamIsActive(trigger('orders'));
  expect(await stream.next()).toEqual({ result: false });
  queues.set('orders', { visible: 3, inFlight: 0 });
  expect(await hint(running.ingestPort, 'pr0ducer-0123456789')).toBe(202);
  expect(await stream.next()).toEqual({ result: true });
  expect(await hint(running.ingestPort, 'pr0ducer-0123456789', '/ingest/hint/jobs/other')).toBe(202);
  const metrics = await running.scaler.metrics.exposition();
  expect(metrics).toContain('backlog_scaler_ingest_requests_total{kind="hint",outcome="accepted"} 1');
  expect(metrics).toContain('backlog_scaler_ingest_requests_total{kind="hint",outcome="unwatched"} 1');
  expect(metrics).toContain('wakes_total{source="queues",connection="jobs",cause="hint"} 1');
});

it('a token is replaced through its file, with both valid meanwhile', async () => {
  const { jobs } = place();
  const files = { old: 'pr0ducer-0123456789\n', new: 'pr0ducer-9876543210\n' };
  const running = await IngestScaler.start({ jobs }, ingest(from('old')), files);
  const port = running.ingestPort;
  const both = async () => [await hint(port, 'pr0ducer-0123456789'), await hint(port, 'pr0ducer-9876543210')];
  expect(await both()).toEqual([202, 401]);
  await running.reload({ jobs }, ingest(from('old'), from('new')));
  expect(await both()).toEqual([202, 202]);
  await running.reload({ jobs }, ingest(from('new')));
  expect(await both()).toEqual([401, 202]);
  await running.folder.write('new', 'pr0ducer-0123456789');
  await running.scaler.reload();
  expect(await both()).toEqual([202, 401]);
  expect(JSON.stringify(running.log.lines)).not.toMatch(/pr0ducer/);
});

it('the port opens with the first token, or the first topic of SNS', async () => {
  const { jobs } = place();
  const running = await IngestScaler.start({ jobs });
  expect(running.port('ingest')).toBeUndefined();
  await running.reload({ jobs }, ingest({ name: 'a', token: 'pr0ducer-0123456789', connections: ['jobs'] }));
  await expect.poll(() => running.port('ingest')).toBeDefined();
  const withTopic = await IngestScaler.start({ jobs: { ...jobs, snsTopics: [topic] } });
  const headers = { 'x-amz-sns-message-type': 'Notification', 'x-amz-sns-topic-arn': topic };
  const sent = { path: '/ingest/sns/jobs', headers: { ...headers, 'content-type': 'text/plain' } };
  expect((await post(withTopic.ingestPort, sent)).status).toBe(400);
  await withTopic.reload({ jobs });
  // The connection stays open, and does not show the change.
  expect((await post(withTopic.ingestPort, sent)).status).toBe(400);
});
