import { beforeAll, describe, expect, it } from 'vitest';
import type { Hinted } from '../../src/ingest/senders.ts';
import { type Post, senders, startIngest } from '../support/ingest.ts';
import {
  deliver,
  FakeSns,
  type Fields,
  makeSigner,
  type Signer,
  signedMessage,
  subscribeUrl,
  topic,
} from '../support/sns.ts';

const jobs: Hinted = { name: 'jobs', snsTopics: new Set([topic]) };
const silent: Hinted = { name: 'silent', snsTopics: new Set() };
const others = senders({ connections: [jobs, silent] });
let signer: Signer;

beforeAll(() => {
  signer = makeSigner();
});

async function start(sns = new FakeSns(signer)) {
  const started = await startIngest([], { others, hint: (_, subject) => subject === 'orders', sns });
  const outcome = (name: string) => started.counted(name, 'sns');
  return { ...started, sns, outcome };
}

const notification = (more: Fields = {}) => signedMessage('Notification', signer, more);

describe('a notification', () => {
  it.each(['1', '2'])('with signature version %s is a hint once it is verified', async (version) => {
    const { port, hints, outcome } = await start();
    for (const more of [{}, { Subject: 'a new order' }]) {
      const { status, body } = await deliver(port, notification({ version, ...more }));
      expect([status, body]).toEqual([202, { accepted: 'is verified now' }]);
    }
    await expect.poll(() => outcome('accepted')).toBe(2);
    expect(hints).toEqual([
      ['jobs', 'orders', 'sns'],
      ['jobs', 'orders', 'sns'],
    ]);
  });

  it('is answered before the certificate is fetched, once for all that wait', async () => {
    const sns = new FakeSns(signer);
    let release = (): void => {};
    sns.hang = new Promise((resolve) => {
      release = resolve;
    });
    const { port, hints, outcome } = await start(sns);
    for (let i = 0; i < 5; i += 1) expect((await deliver(port, notification())).status).toBe(202);
    expect([hints.length, sns.calls]).toEqual([0, [signer.url]]);
    release();
    await expect.poll(() => outcome('accepted')).toBe(5);
    await deliver(port, notification());
    expect([sns.calls.length, sns.limits[0]?.timeoutMs]).toEqual([1, 2_000]);
  });

  it('for an unmeasured subject is counted as such', async () => {
    const { port, outcome } = await start();
    await deliver(port, notification(), { path: '/ingest/sns/jobs/other' });
    await expect.poll(() => outcome('unwatched')).toBe(1);
  });

  it('means what its path says: a subject with slashes, or the whole connection', async () => {
    const { port, hints } = await start();
    for (const path of ['/ingest/sns/jobs/a/b', '/ingest/sns/jobs/a%2Fb', '/ingest/sns/jobs']) {
      await deliver(port, notification(), { path });
    }
    await expect.poll(() => hints.map(([, subject]) => subject)).toEqual(['a/b', 'a/b', undefined]);
  });

  it('that is repeated hints nothing, but at another path it is another subscription', async () => {
    const { port, hints, outcome } = await start();
    const message = notification();
    for (const path of ['orders', 'orders', 'returns', 'orders']) {
      expect((await deliver(port, message, { path: `/ingest/sns/jobs/${path}` })).status).toBe(202);
    }
    await expect.poll(() => outcome('ignored')).toBe(2);
    expect(hints.map(([, subject]) => subject)).toEqual(['orders', 'returns']);
  });

  it('may have the largest size, and not more', async () => {
    const { port, outcome } = await start();
    const large = notification({ Message: '\u0001'.repeat(256 * 1024) });
    expect((await deliver(port, large)).status).toBe(202);
    await expect.poll(() => outcome('accepted')).toBe(1);
    expect((await deliver(port, notification({ Message: 'x'.repeat(2 * 1024 * 1024) }))).status).toBe(413);
  });

  it.each(['Message', 'MessageId', 'Subject', 'Timestamp'])(
    'tampered in its %s hints nothing',
    async (field) => {
      const { port, hints, outcome, log } = await start();
      const value = field === 'Timestamp' ? new Date(Date.now() - 5_000).toISOString() : 'tampered';
      const { status } = await deliver(port, { ...notification({ Subject: 'x' }), [field]: value });
      expect(status).toBe(202);
      await expect.poll(() => outcome('refused')).toBe(1);
      expect(hints).toEqual([]);
      expect(log.lines.at(-1)).toMatchObject({
        level: 'warn',
        fields: { connection: 'jobs' },
        message: expect.stringContaining('its signature is not by the certificate'),
      });
    },
  );

  it('that is forged does not keep out the true one with its ID', async () => {
    const { port, outcome } = await start();
    const message = notification();
    await deliver(port, { ...message, Message: 'forged' });
    await expect.poll(() => outcome('refused')).toBe(1);
    await deliver(port, message);
    await expect.poll(() => outcome('accepted')).toBe(1);
  });

  it('without its Subject, or with another version than that of its signature, is refused', async () => {
    const { port, outcome } = await start();
    await deliver(port, { ...notification({ Subject: 'x' }), Subject: undefined });
    await deliver(port, { ...notification({ version: '1' }), SignatureVersion: '2' });
    await expect.poll(() => outcome('refused')).toBe(2);
    expect((await deliver(port, { ...notification(), SignatureVersion: '3' })).status).toBe(401);
  });
});

describe('a sender without proof', () => {
  it.each<[string, Fields, Post, string]>([
    ['for nobody', {}, { path: '/ingest/sns/nobody/x' }, 'unknown_connection'],
    ['for one without topics', {}, { path: '/ingest/sns/silent/x' }, 'unknown_connection'],
    ['of a topic that is not listed', { TopicArn: `${topic}-2` }, {}, 'foreign'],
    ['that is forged', { Message: 'forged' }, {}, 'refused'],
  ])('gets the usual answer, and is counted: a message %s', async (_, fields, sent, expected) => {
    const { port, sns, hints, outcome } = await start();
    const { status, body } = await deliver(port, { ...notification(), ...fields }, sent);
    expect([status, body]).toEqual([202, { accepted: 'is verified now' }]);
    await expect.poll(() => outcome(expected)).toBe(1);
    expect(hints).toEqual([]);
    if (expected !== 'refused') expect(sns.calls).toEqual([]);
  });
});

describe('a subscription', () => {
  const confirmation = (more: Fields = {}) => signedMessage('SubscriptionConfirmation', signer, more);

  it.each(['1', '2'])('with signature version %s is confirmed, and logged once', async (version) => {
    const sns = new FakeSns(signer);
    sns.answers.set(subscribeUrl(), '<ConfirmSubscriptionResponse/>');
    const { port, hints, outcome, log } = await start(sns);
    for (let i = 0; i < 2; i += 1) expect((await deliver(port, confirmation({ version }))).status).toBe(202);
    await expect.poll(() => outcome('ping')).toBe(2);
    expect(sns.calls).toEqual([signer.url, subscribeUrl(), subscribeUrl()]);
    expect(sns.limits[1]?.timeoutMs).toBe(5_000);
    expect(log.lines).toEqual([
      {
        level: 'info',
        fields: { connection: 'jobs', topic },
        message: 'a subscription of an SNS topic was confirmed',
      },
    ]);
    expect(hints).toEqual([]);
  });

  it('that could not be confirmed is tried again when SNS repeats it, but not after a success', async () => {
    const sns = new FakeSns(signer);
    const { port, outcome, log } = await start(sns);
    const message = confirmation();
    await deliver(port, message);
    await expect.poll(() => outcome('unavailable')).toBe(1);
    expect(log.lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { connection: 'jobs', topic, error: 'answered with 404' },
      message: expect.stringContaining('could not be confirmed'),
    });
    sns.answers.set(subscribeUrl(), 'ok');
    await deliver(port, message);
    await expect.poll(() => outcome('ping')).toBe(1);
    await deliver(port, message);
    await expect.poll(() => outcome('ignored')).toBe(1);
    expect(JSON.stringify(log.lines)).not.toContain('2336412f37');
  });

  it('that is tampered with is not confirmed', async () => {
    const { port, sns, outcome } = await start();
    await deliver(port, { ...confirmation(), Message: 'tampered' });
    await expect.poll(() => outcome('refused')).toBe(1);
    expect(sns.calls).toEqual([signer.url]);
  });

  it.each(['1', '2'])('whose end is signed by version %s is logged, and not undone', async (version) => {
    const { port, sns, outcome, log } = await start();
    const message = signedMessage('UnsubscribeConfirmation', signer, { version });
    expect((await deliver(port, message)).status).toBe(202);
    await expect.poll(() => outcome('ignored')).toBe(1);
    expect(sns.calls).toEqual([signer.url]);
    expect(log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { connection: 'jobs', topic } });
  });
});

describe('a message is refused at once, without any request', () => {
  const old = () => new Date(Date.now() - 3_700_000).toISOString();
  it.each<[string, Fields, Post, number, string]>([
    ['without headers of SNS', {}, { headers: { 'x-amz-sns-message-type': [] } }, 401, 'unsigned'],
    ['without a topic', {}, { headers: { 'x-amz-sns-topic-arn': [] } }, 401, 'unsigned'],
    ['of an unknown type', {}, { headers: { 'x-amz-sns-message-type': 'Other' } }, 401, 'unsigned'],
    ['of a topic that is none', {}, { headers: { 'x-amz-sns-topic-arn': 'orders' } }, 401, 'unsigned'],
    ['delivered raw', {}, { headers: { 'x-amz-sns-rawdelivery': 'true' } }, 401, 'unsigned'],
    ['as XML', {}, { headers: { 'content-type': 'text/xml' } }, 415, 'unsupported'],
    ['that is no JSON', {}, { body: 'hello' }, 400, 'malformed'],
    ['that is empty', {}, { body: '' }, 400, 'malformed'],
    [
      'of another topic in its body',
      { TopicArn: `${topic}-2` },
      { headers: { 'x-amz-sns-topic-arn': topic } },
      400,
      'malformed',
    ],
    [
      'of another type in its body',
      {},
      { headers: { 'x-amz-sns-message-type': 'UnsubscribeConfirmation' } },
      400,
      'malformed',
    ],
    ['older than an hour', { Timestamp: old() }, {}, 401, 'refused'],
    ['of the next hours', { Timestamp: new Date(Date.now() + 3_700_000).toISOString() }, {}, 401, 'refused'],
    ['of no time', { Timestamp: '2026-13-45T00:00:00Z' }, {}, 401, 'refused'],
    ['as PUT', {}, { method: 'PUT' }, 405, 'unsupported'],
    ['as OPTIONS', {}, { method: 'OPTIONS', body: '' }, 405, 'unsupported'],
  ])('%s', async (_, fields, sent, status, expected) => {
    const { port, sns, hints, outcome } = await start();
    const answered = await deliver(port, notification(fields), sent);
    expect([answered.status, answered.body]).toEqual([status, { error: expect.any(String) }]);
    expect(await outcome(expected)).toBe(1);
    expect([sns.calls, hints]).toEqual([[], []]);
  });

  it.each([
    'http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000001.pem',
    'https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-00000000000000000000000000000001.pem',
    'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000001.pem',
    'https://169.254.169.254/SimpleNotificationService-00000000000000000000000000000001.pem',
  ])('with its certificate at %s', async (url) => {
    const { port, sns, outcome } = await start();
    expect((await deliver(port, { ...notification(), SigningCertURL: url })).status).toBe(401);
    expect([sns.calls, await outcome('refused')]).toEqual([[], 1]);
  });

  it('with a SubscribeURL elsewhere, though it is signed', async () => {
    const { port, sns, outcome } = await start();
    const SubscribeURL = subscribeUrl().replace('sns.eu-central-1.amazonaws.com', 'evil.example');
    const message = signedMessage('SubscriptionConfirmation', signer, { SubscribeURL });
    expect((await deliver(port, message)).status).toBe(401);
    expect([sns.calls, await outcome('refused')]).toEqual([[], 1]);
  });

  it('in the designed order: headers, type, size, without a word about a connection or its topics', async () => {
    const { port } = await start();
    const body = 'x'.repeat(3 * 1024 * 1024);
    const status = async (headers: object, path: string) =>
      (await deliver(port, {}, { path, body, headers: { 'content-type': 'text/xml', ...headers } })).status;
    const type = { 'x-amz-sns-message-type': 'Notification' };
    for (const path of ['/ingest/sns/nobody', '/ingest/sns/silent', '/ingest/sns/jobs']) {
      for (const arn of [topic, `${topic}-2`]) {
        const head = { ...type, 'x-amz-sns-topic-arn': arn };
        expect(await status({}, path)).toBe(401);
        expect(await status(head, path)).toBe(415);
        expect(await status({ ...head, 'content-type': 'text/plain' }, path)).toBe(413);
      }
    }
  });

  it('raw delivery is logged, with what to do', async () => {
    const { port, log } = await start();
    const { body } = await deliver(port, {}, { headers: { 'x-amz-sns-rawdelivery': 'true' } });
    expect(body).toEqual({ error: expect.stringContaining('turn it off') });
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { connection: 'jobs' } }]);
  });
});
