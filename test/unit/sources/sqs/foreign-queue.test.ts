import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import { sqs } from '../../../../src/sources/sqs/index.ts';
import { connectionOf, LiveTriggers, referenceOf } from '../../../support/live-triggers.ts';
import { configOf } from './connecting.ts';
import { countsAnswer, ScriptedSqs } from './scripted-sqs.ts';

/** A host that a trigger names, and that must never be called. */
let stranger: Server;
let heard = 0;
let strangerPort = 0;
let own: ScriptedSqs;

beforeAll(async () => {
  own = await ScriptedSqs.start(() => countsAnswer(1));
  stranger = createServer((socket) => {
    heard += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  const address = stranger.address();
  strangerPort = typeof address === 'object' && address !== null ? address.port : 0;
});

afterAll(async () => {
  await new Promise((resolve) => stranger.close(resolve));
  await own.stop();
});

async function refusalOf(config: unknown, metadata: Record<string, string>): Promise<ScalerError> {
  const live = new LiveTriggers([connectionOf('jobs', sqs, config)]);
  try {
    const answer = await live.answer(referenceOf({ source: 'sqs', ...metadata }));
    throw new Error(`was taken: ${JSON.stringify(answer)}`);
  } catch (reason) {
    if (reason instanceof ScalerError) return reason;
    throw reason;
  } finally {
    await live.close();
  }
}

describe('a queue of another place', () => {
  const urls: [what: string, url: () => string][] = [
    ['another port', () => `http://127.0.0.1:${strangerPort}/1/jobs`],
    ['another name of the host', () => own.url.replace('127.0.0.1', 'localhost').concat('/1/jobs')],
    ['HTTPS instead of HTTP', () => own.url.replace('http:', 'https:').concat('/1/jobs')],
    ["the host's metadata service", () => 'http://169.254.169.254/1/jobs'],
    ['AWS itself', () => 'https://sqs.eu-central-1.amazonaws.com/123456789012/jobs'],
  ];

  it.each(urls)(
    '%s is refused before anything is sent, with or without the name of the connection',
    async (_, url) => {
      for (const metadata of [{ connection: 'jobs' }, {}]) {
        const error = await refusalOf(configOf(own.url), { ...metadata, queueURL: url() });
        expect(error.code).toBe('invalid');
        expect(error.message).toContain('queueURL');
      }
      expect([heard, own.connections]).toEqual([0, 0]);
    },
  );

  it('a user name is refused, and not shown', async () => {
    const queueURL = `http://me:hunter2@127.0.0.1:${strangerPort}/1/jobs`;
    const { code, message } = await refusalOf(configOf(own.url), { connection: 'jobs', queueURL });
    expect(code).toBe('invalid');
    expect(message).toContain('queueURL: must be a URL without a user name or password');
    expect(message).not.toContain('hunter2');
    expect(heard).toBe(0);
  });

  it.each([
    [
      'https://sqs.us-east-1.amazonaws.com/1/jobs',
      '"jobs" is in us-east-1, the connection is for eu-central-1',
    ],
    ['https://queue.amazonaws.com/1/jobs', '"jobs" is in us-east-1, the connection is for eu-central-1'],
    [
      'http://sqs.eu-central-1.amazonaws.com/1/jobs',
      "is not the connection's endpoint (https://sqs.eu-central-1.amazonaws.com)",
    ],
    ['https://sqs.eu-central-1.amazonaws.com.evil.example/1/jobs', 'requests go nowhere else'],
    ['http://169.254.169.254/latest/meta-data', "is not the connection's endpoint"],
  ])('on a connection to AWS %s is refused', async (queueURL, message) => {
    const error = await refusalOf(configOf(undefined), { connection: 'jobs', queueURL });
    expect(error.code).toBe('invalid');
    expect(error.message).toContain(message);
  });

  it('the endpoint cannot be brought along', async () => {
    const awsEndpoint = `http://127.0.0.1:${strangerPort}`;
    const queueURL = `${awsEndpoint}/1/jobs`;
    for (const connection of ['jobs', '']) {
      const error = await refusalOf(configOf(own.url), { connection, queueURL, awsEndpoint });
      expect(error.code).toBe('invalid');
    }
    expect(heard).toBe(0);
  });
});

it('the queue of the connection itself is read', async () => {
  const live = new LiveTriggers([connectionOf('jobs', sqs, configOf(own.url))]);
  const answer = await live.answer(referenceOf({ source: 'sqs', queueURL: `${own.url}/1/jobs` }));
  expect(answer).toMatchObject({ kind: 'known', value: 1, active: true });
  await live.close();
});
