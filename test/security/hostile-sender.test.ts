import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { post } from '../support/ingest.ts';
import { IngestScaler } from '../support/ingest-scaler.ts';
import { serviceOf } from '../support/queue-source.ts';
import { ref } from '../support/rpc-client.ts';

const token = 'pr0ducer-0123456789';
const authorization = `Bearer ${token}`;
const trigger = ref('worker', { source: 'queues', connection: 'jobs', queue: 'orders' });

const topic = 'arn:aws:sns:eu-central-1:123456789012:orders';
const snsHead = {
  'content-type': 'text/plain',
  'x-amz-sns-message-type': 'Notification',
  'x-amz-sns-topic-arn': topic,
};
const forgedMessage = JSON.stringify({
  Type: 'Notification',
  MessageId: '165545c9-2a5c-472c-8df2-000000000000',
  TopicArn: topic,
  Message: 'forged',
  Timestamp: new Date().toISOString(),
  SignatureVersion: '2',
  Signature: 'AAAA',
  SigningCertURL: `https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-${'0'.repeat(32)}.pem`,
});

async function start() {
  const service = randomUUID();
  serviceOf(service).queues.set('orders', { visible: 2, inFlight: 0 });
  const running = await IngestScaler.start(
    { jobs: { source: 'queues', service }, other: { source: 'queues', service: randomUUID() } },
    { ingest: { host: '127.0.0.1', port: 0, tokens: [{ name: 'producer', token, connections: ['jobs'] }] } },
  );
  return { running, port: running.ingestPort, client: running.client() };
}

describe('a sender to the ingest port', () => {
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
    'learns nothing about a connection without a token or a signature: %s',
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

  it.each<[string, Record<string, string>, string]>([
    ['github', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }, '{}'],
    ['hint', { authorization: 'Bearer a-token-that-is-guessed' }, '{}'],
    ['events', { authorization: 'Bearer a-token-that-is-guessed', 'content-type': 'application/json' }, '{}'],
    ['sns', snsHead, forgedMessage],
    ['sns', snsHead, '{}'],
  ])('learns nothing about a connection from invented credentials: %s', async (kind, headers, body) => {
    const { port } = await start();
    const answers = [];
    for (const connection of ['jobs', 'other', 'nobody']) {
      const answered = await post(port, { path: `/ingest/${kind}/${connection}`, headers, body });
      answers.push({
        status: answered.status,
        body: answered.body,
        type: answered.headers['www-authenticate'],
      });
    }
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    expect(answers[0]?.status).not.toBe(404);
  });

  it('has a token only for its listed connections, and it opens neither gRPC nor the admin port', async () => {
    const { running, port } = await start();
    const status = async (path: string) => (await post(port, { path, headers: { authorization } })).status;
    expect(await status('/ingest/hint/jobs')).toBe(202);
    expect(await status('/ingest/hint/other')).toBe(403);
    expect(await status('/metrics')).toBe(404);
    expect(JSON.stringify(running.log.lines)).not.toContain(token);
  });
});
