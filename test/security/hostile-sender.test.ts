import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { post } from '../support/ingest.ts';
import { IngestScaler } from '../support/ingest-scaler.ts';
import { serviceOf } from '../support/queue-source.ts';
import { ref } from '../support/rpc-client.ts';

const token = 'pr0ducer-0123456789';
const authorization = `Bearer ${token}`;
const trigger = ref('worker', { source: 'queues', connection: 'jobs', queue: 'orders' });

async function start() {
  const service = randomUUID();
  serviceOf(service).queues.set('orders', { visible: 2, inFlight: 0 });
  const running = await IngestScaler.start(
    { jobs: { source: 'queues', service }, other: { source: 'queues', service: randomUUID() } },
    { ingest: { host: '127.0.0.1', port: 0, tokens: [{ name: 'producer', token, connections: ['jobs'] }] } },
  );
  return { running, port: running.ingestPort, client: running.client() };
}

describe('who sends to the ingest port', () => {
  it('cannot set a number by a hint: the read decides', async () => {
    const { port, client } = await start();
    const number = async () => (await client.getMetrics(trigger, '')).metricValues[0]?.metricValueFloat;
    expect(await number()).toBe(2);
    const body = JSON.stringify({ value: 1000, visible: 1000, result: true });
    for (const path of ['/ingest/hint/jobs/orders', '/ingest/hint/jobs']) {
      expect((await post(port, { path, headers: { authorization }, body })).status).toBe(202);
    }
    expect(await number()).toBe(2);
  });

  it.each(['hint', 'events', 'sns', 'github'])(
    'learns without a token or a signature of no connection: %s',
    async (kind) => {
      const { port } = await start();
      const answers = [];
      for (const connection of ['jobs', 'other', 'nobody']) {
        const { status, body } = await post(port, { path: `/ingest/${kind}/${connection}`, body: '{}' });
        answers.push({ status, body });
      }
      const [first] = answers;
      expect(first?.status).toBe(401);
      expect(answers).toEqual([first, first, first]);
    },
  );

  it('has a token for what it lists alone, and it opens neither gRPC nor the admin port', async () => {
    const { running, port } = await start();
    const status = async (path: string) => (await post(port, { path, headers: { authorization } })).status;
    expect(await status('/ingest/hint/jobs')).toBe(202);
    expect(await status('/ingest/hint/other')).toBe(403);
    expect(await status('/metrics')).toBe(404);
    expect(JSON.stringify(running.log.lines)).not.toContain(token);
  });
});
