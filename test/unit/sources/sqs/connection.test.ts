import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import type { SqsConnection } from '../../../../src/sources/sqs/upstream/connection.ts';
import { unmeasured } from '../../../support/connection-deps.ts';
import { connectionTo, countingMetrics, errorOf, readAll, readOne } from './connecting.ts';
import { countsAnswer, errorAnswer, ScriptedSqs } from './scripted-sqs.ts';
import { paramsOf } from './trigger-params.ts';

let server: ScriptedSqs;
const connections: SqsConnection[] = [];
beforeEach(async () => {
  server = await ScriptedSqs.start();
});
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
  await server.stop();
});

function connected(more: object = {}, metrics = unmeasured): SqsConnection {
  const connection = connectionTo(server.url, more, metrics);
  connections.push(connection);
  return connection;
}

const url = '/123456789012/jobs';

describe('a read', () => {
  it('requests the three counts, and nothing else', async () => {
    server.script = () => countsAnswer(1, 2, 3);
    expect(await readOne(connected(), url)).toEqual({ visible: 1, inFlight: 2, delayed: 3 });
    expect(server.asked.map(({ operation, body }) => [operation, body])).toEqual([
      [
        'GetQueueAttributes',
        {
          QueueUrl: `${server.url}/123456789012/jobs`,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesNotVisible',
            'ApproximateNumberOfMessagesDelayed',
          ],
        },
      ],
    ]);
  });

  it('looks up our account once, for all queues by name', async () => {
    server.script = ({ operation }) =>
      operation === 'GetQueueUrl' ? { body: { QueueUrl: `${server.url}/1/jobs` } } : countsAnswer(4);
    const connection = connected();
    for (const name of ['jobs', 'jobs', 'mail']) {
      expect(await readOne(connection, name)).toMatchObject({ visible: 4 });
    }
    expect(server.operations).toEqual({ GetQueueUrl: 1, GetQueueAttributes: 3 });
    expect(server.asked.at(-1)?.body).toMatchObject({ QueueUrl: `${server.url}/1/mail` });
    expect(server.asked[0]?.body).toEqual({ QueueName: 'jobs' });
    expect(server.asked[1]?.body).toMatchObject({ QueueUrl: `${server.url}/1/jobs` });
  });

  it('says which permission a name needs', async () => {
    server.script = () => ({ status: 403, body: { __type: 'AccessDenied' } });
    expect((await errorOf(connected(), 'jobs')).message).toContain('AWS refuses sqs:GetQueueUrl');
  });

  it('uses the endpoint whatever URL a name has', async () => {
    const elsewhere = await ScriptedSqs.start();
    server.script = ({ operation }) =>
      operation === 'GetQueueUrl' ? { body: { QueueUrl: `${elsewhere.url}/1/jobs` } } : countsAnswer(4);
    await readOne(connected(), 'jobs');
    expect([server.asked.length, elsewhere.asked.length, elsewhere.connections]).toEqual([2, 0, 0]);
    await elsewhere.stop();
  });

  it('of many queues delivers each alone, and one that fails fails alone', async () => {
    server.script = ({ body }) => {
      const queue = String(body['QueueUrl']);
      if (queue.endsWith('bad')) return errorAnswer('QueueDoesNotExist');
      return queue.endsWith('slow') ? 'hang' : countsAnswer(1);
    };
    const results = await readAll(connected({ requestTimeoutMs: 300 }), [
      '/1/a',
      '/1/slow',
      '/1/bad',
      '/1/b',
    ]);
    expect([...results.keys()].at(-1)).toBe('/1/slow');
    const fine = [...results].filter(([, result]) => !(result instanceof ScalerError));
    expect(fine.map(([queue]) => queue).toSorted()).toEqual(['/1/a', '/1/b']);
    expect(results.size).toBe(4);
  });

  it('has a bounded number of requests under way', async () => {
    server.delayMs = 20;
    server.script = () => countsAnswer(1);
    const connection = connected({ maxSockets: 4 });
    const queues = Array.from({ length: 25 }, (_, i) => `/1/queue-${i}`);
    const rounds = await Promise.all([readAll(connection, queues), readAll(connection, queues)]);
    expect(rounds.map(({ size }) => size)).toEqual([25, 25]);
    expect(server.mostOpen).toBe(4);
    expect(server.connections).toBeLessThanOrEqual(4);
  });

  it('that is given up sends nothing more', async () => {
    const given = new AbortController();
    server.script = () => {
      given.abort();
      return 'hang';
    };
    const results = await readAll(connected({ maxSockets: 1 }), ['/1/a', '/1/b', '/1/c'], given.signal);
    expect(server.asked).toHaveLength(1);
    expect([...results.values()].map(String)).toEqual([
      'ScalerError: queue a in eu-central-1: the read was given up before an answer came',
    ]);
  });
});

describe('requests are counted', () => {
  it('each that is sent, under its operation', async () => {
    const { metrics, counted } = countingMetrics();
    const connection = connected({}, metrics);
    server.script = ({ operation }) =>
      operation === 'GetQueueUrl' ? { body: { QueueUrl: `${server.url}/1/jobs` } } : countsAnswer();
    await readOne(connection, 'jobs');
    server.script = () => errorAnswer('InternalFailure', { status: 500 });
    await errorOf(connection, 'jobs');
    server.script = () => 'reset';
    await errorOf(connection, 'jobs');
    expect(counted).toEqual([
      'GetQueueUrl ok',
      'GetQueueAttributes ok',
      'GetQueueAttributes error',
      'GetQueueAttributes error',
      'GetQueueAttributes error',
    ]);
  });
});

describe('the subject of a trigger', () => {
  const local = connectionTo('http://localhost:4566');
  const aws = connectionTo(undefined, { region: 'us-east-1' });
  const refOf = (connection: SqsConnection, queueURL: string) => connection.subject(paramsOf({ queueURL }));

  it('is one for every spelling of a URL', () => {
    const spellings = [
      'https://sqs.us-east-1.amazonaws.com/123456789012/jobs',
      'https://queue.amazonaws.com/123456789012/jobs',
      'https://us-east-1.queue.amazonaws.com/123456789012/jobs',
      '/123456789012/jobs',
    ];
    const refs = spellings.map((spelling) => refOf(aws, spelling));
    expect(new Set(refs.map(({ key }) => key)).size).toBe(1);
    for (const { hintNames } of refs) expect(hintNames).toContain(spellings[0]);
  });

  it('is that of its URL for a bare name in the account of the role', () => {
    const roleArn = 'arn:aws:iam::123456789012:role/scaler';
    const inRole = connectionTo(undefined, { region: 'us-east-1', roleArn });
    expect(refOf(inRole, 'jobs')).toEqual(refOf(inRole, '/123456789012/jobs'));
    // An emulator has accounts of its own.
    expect(refOf(connectionTo('http://localhost:4566', { roleArn }), 'jobs').key).toBe('jobs');
  });

  it('differs for another account or name, and for a bare name while our account is unknown', () => {
    const keys = ['/1/jobs', '/2/jobs', '/1/mail', 'jobs'].map((queue) => refOf(local, queue).key);
    expect(new Set(keys).size).toBe(4);
  });

  it('is hinted at by name and by URL', () => {
    expect(refOf(local, 'jobs').hintNames).toEqual(['jobs']);
    expect(refOf(local, '/1/jobs').hintNames).toEqual(['jobs', 'http://localhost:4566/1/jobs']);
    expect(refOf(aws, 'https://queue.amazonaws.com/1/jobs').hintNames).toEqual([
      'jobs',
      'https://sqs.us-east-1.amazonaws.com/1/jobs',
      'https://queue.amazonaws.com/1/jobs',
    ]);
  });
});
