import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../support/free-port.ts';
import { connectionTo, errorOf, readOne, secretAccessKey } from './connecting.ts';
import { type Answer, countsAnswer, errorAnswer, ScriptedSqs } from './scripted-sqs.ts';

let server: ScriptedSqs;
beforeAll(async () => {
  server = await ScriptedSqs.start();
});
afterAll(() => server.stop());

const queue = '/123456789012/jobs';

function coral(type: string, message = ''): Answer {
  return { status: 403, body: { __type: `com.amazon.coral.service#${type}`, Message: message } };
}

const where = 'queue jobs in eu-central-1: ';
const user = 'User: arn:aws:iam::123456789012:user/scaler';

const refusals: [what: string, answer: Answer, message: string][] = [
  [
    'access is denied',
    coral('AccessDeniedException', `${user} is not authorized to perform: sqs:getqueueattributes on it`),
    "AWS refuses sqs:GetQueueAttributes: allow it for the scaler's role or user; for a queue of another account, also in the queue's policy",
  ],
  [
    'access is denied without a word',
    { status: 403, body: 'Forbidden' },
    "AWS refuses sqs:GetQueueAttributes: allow it for the scaler's role or user; for a queue of another account, also in the queue's policy",
  ],
  [
    'a key of KMS is',
    coral('AccessDenied', `${user} is not authorized to perform: kms:Decrypt on it`),
    "AWS refuses kms:Decrypt: allow it for the scaler's role or user; for a queue of another account, also in the queue's policy",
  ],
  [
    'the token has expired',
    coral('ExpiredTokenException', 'The security token included in the request is expired'),
    'the AWS credentials have expired: renew the files of `credentials`, or let a role renew them',
  ],
  [
    'the key is not known',
    coral('UnrecognizedClientException'),
    'AWS does not know the credentials: check the access key of the connection, and that it is of this partition',
  ],
  [
    'the token is of another',
    errorAnswer('InvalidClientTokenId', { status: 403, queryCode: 'InvalidClientTokenId' }),
    'AWS does not know the credentials: check the access key of the connection, and that it is of this partition',
  ],
  [
    'the secret is wrong',
    coral('SignatureDoesNotMatch', 'The Canonical String for this request should have been hunter2'),
    'the signature does not verify: check the secret access key of the connection',
  ],
  [
    'the endpoint is of another region',
    coral('InvalidSignatureException', "Credential should be scoped to a valid region, not 'eu-central-1'."),
    'requests are signed for eu-central-1 and the endpoint is of another region: correct one of the two',
  ],
  [
    'the clock is off',
    coral('InvalidSignatureException', 'Signature expired: 20260101T000000Z is now earlier than …'),
    'the clock of this host is too far from that of AWS: set it',
  ],
  [
    'the address is not served there',
    errorAnswer('InvalidAddress', { status: 404 }),
    'the endpoint does not serve it: check its region, account and endpoint',
  ],
  [
    'SQS fails',
    errorAnswer('InternalFailure', { status: 500 }),
    'AWS fails (InternalFailure, HTTP 500); the scaler tries again',
  ],
  ['its front fails', { status: 502, body: '<html>' }, 'AWS fails (HTTP 502); the scaler tries again'],
  ['something else is said', errorAnswer('NobodyKnows'), 'AWS refuses the request (NobodyKnows, HTTP 400)'],
];

describe('where AWS refuses', () => {
  it.each(refusals)('%s', async (_, answer, message) => {
    server.script = () => answer;
    const connection = connectionTo(server.url);
    const error = await errorOf(connection, queue);
    expect(error).toMatchObject({ code: 'unavailable', message: `${where}${message}` });
    expect(error.retryAfterMs).toBeUndefined();
    await connection.close();
  });

  it.each([
    ['QueueDoesNotExist', errorAnswer('QueueDoesNotExist')],
    ['its old code', errorAnswer('X', { queryCode: 'AWS.SimpleQueueService.NonExistentQueue' })],
    ['both', errorAnswer('QueueDoesNotExist', { queryCode: 'AWS.SimpleQueueService.NonExistentQueue' })],
    ['the old code alone', { status: 400, body: { __type: 'AWS.SimpleQueueService.NonExistentQueue' } }],
    ["ElasticMQ's", errorAnswer('QueueDoesNotExist', { queryCode: 'com.amazonaws.sqs#QueueDoesNotExist' })],
  ])('a queue that does not exist is not found: %s', async (_, answer) => {
    server.script = () => answer;
    const connection = connectionTo(server.url);
    expect(await errorOf(connection, queue)).toMatchObject({
      code: 'not_found',
      message: `${where}AWS says that it does not exist: check its name, its account and the region`,
    });
    await connection.close();
  });
});

describe('where AWS throttles', () => {
  it.each<[string, Answer, string, number]>([
    [
      'RequestThrottled',
      errorAnswer('RequestThrottled', { status: 403 }),
      'RequestThrottled, HTTP 403',
      5000,
    ],
    ['ThrottlingException', errorAnswer('ThrottlingException'), 'ThrottlingException, HTTP 400', 5000],
    ['a 503', { status: 503, body: 'busy' }, 'HTTP 503', 5000],
    [
      'a 429 that says for how long',
      { status: 429, headers: { 'retry-after': '7' }, body: '' },
      'HTTP 429',
      7000,
    ],
    ['for long', { status: 429, headers: { 'retry-after': '86400' }, body: '{}' }, 'HTTP 429', 300_000],
  ])('%s: says when it may be asked again', async (_, answer, named, retryAfterMs) => {
    server.script = () => answer;
    const connection = connectionTo(server.url);
    const error = await errorOf(connection, queue);
    expect(error).toMatchObject({ code: 'unavailable', retryAfterMs });
    expect(error.message).toContain(`AWS throttles the requests (`);
    expect(error.message).toContain(named);
    await connection.close();
  });
});

describe('where no useful answer comes', () => {
  it.each<[string, Answer]>([
    ['HTML', { body: '<html>hello</html>' }],
    ['half of JSON', { body: '{"Attributes":' }],
    ['a page that is not there', { status: 404, body: 'not found' }],
  ])('%s is not SQS', async (_, answer) => {
    server.script = () => answer;
    const connection = connectionTo(server.url);
    expect((await errorOf(connection, queue)).message).toBe(
      `${where}what answers is not SQS: check the connection's endpoint ${server.url}`,
    );
    await connection.close();
  });

  it.each<[string, unknown]>([
    ['one count alone', { Attributes: { ApproximateNumberOfMessages: '1' } }],
    [
      'a count that is no number',
      {
        Attributes: {
          ...Object(countsAnswer().body).Attributes,
          ApproximateNumberOfMessagesNotVisible: '-1',
        },
      },
    ],
    ['nothing', ''],
    ['another thing', { Hello: 'world' }],
  ])('%s is an error, never zero', async (_, body) => {
    server.script = () => ({ body });
    const connection = connectionTo(server.url);
    expect(await errorOf(connection, queue)).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/the answer of SQS has no usable ApproximateNumberOfMessages/),
    });
    await connection.close();
  });

  it.each(['hang', 'endless'] as const)(
    'a server that is silent (%s) is given up in time',
    async (script) => {
      server.script = () => script;
      const connection = connectionTo(server.url, { requestTimeoutMs: 100 });
      expect((await errorOf(connection, queue)).message).toBe(
        `${where}${server.url} does not answer within 100 ms`,
      );
      await connection.close();
    },
  );

  it('a cut connection is retried once, at once', async () => {
    const before = server.asked.length;
    server.script = () => 'reset';
    const connection = connectionTo(server.url);
    expect((await errorOf(connection, queue)).message).toBe(`${where}${server.url} closed the connection`);
    expect(server.asked.length - before).toBe(2);
    await connection.close();
  });

  it('a kept-alive connection that the server has closed does not matter', async () => {
    server.script = () => countsAnswer(1);
    const connection = connectionTo(server.url);
    for (let i = 0; i < 5; i += 1) {
      expect(await readOne(connection, queue)).toMatchObject({ visible: 1 });
      server.cut();
    }
    await connection.close();
  });

  it('nobody listens', async () => {
    const connection = connectionTo(`http://127.0.0.1:${await freePort()}`);
    expect((await errorOf(connection, queue)).message).toMatch(/refuses the connection: is it running/);
    await connection.close();
  });

  it('an unknown host', async () => {
    const connection = connectionTo('http://nobody.invalid:4566');
    expect((await errorOf(connection, queue)).message).toMatch(
      /http:\/\/nobody\.invalid:4566 has a host name that (does not exist: check the connection's endpoint|cannot be resolved now)/,
    );
    await connection.close();
  });

  it('TLS with an untrusted certificate', async () => {
    const connection = connectionTo(server.url.replace('http:', 'https:'));
    expect((await errorOf(connection, queue)).message).toMatch(/speaks no TLS/);
    await connection.close();
  });
});

it('no message contains a secret or a signature', async () => {
  const said = `${secretAccessKey} AWS4-HMAC-SHA256 Signature=abc`;
  for (const type of ['SignatureDoesNotMatch', 'NobodyKnows', 'AccessDenied', 'InternalFailure']) {
    for (const status of [400, 403, 500]) {
      server.script = () => ({ status, body: { __type: type, message: said, Message: said } });
      const connection = connectionTo(server.url);
      const { message } = await errorOf(connection, queue);
      expect(message).not.toMatch(/hunter2|HMAC|Signature=/);
      await connection.close();
    }
  }
});
