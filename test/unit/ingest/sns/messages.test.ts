import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import type { Head } from '../../../../src/ingest/kind.ts';
import type { Get } from '../../../../src/ingest/sns/https-get.ts';
import { SnsMessages } from '../../../../src/ingest/sns/messages.ts';
import { senders } from '../../../support/ingest.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { FakeSns, type Fields, makeSigner, type Signer, signedMessage, topic } from '../../../support/sns.ts';

const known = senders({ connections: [{ name: 'jobs', snsTopics: new Set([topic]) }] });
let signer: Signer;
let log: ReturnType<typeof recordingLog>;
let nowMs: number;

beforeAll(() => {
  signer = makeSigner();
});

beforeEach(() => {
  log = recordingLog();
  nowMs = Date.now();
});

function kindWith(get: Get): SnsMessages {
  return new SnsMessages({ senders: () => known, hint: () => true, log, get, now: () => nowMs });
}

function forgedUrl(i: number): string {
  return signer.url.replace(/[0-9a-f]{32}/, `f${i.toString(16).padStart(31, '0')}`);
}

function headOf(message: Fields, subject?: string, address = '192.0.2.1'): Head {
  const headers = {
    'x-amz-sns-message-type': message['Type'] ?? '',
    'x-amz-sns-topic-arn': message['TopicArn'] ?? '',
    'content-type': 'text/plain',
  };
  return { headers, connection: 'jobs', subject, address };
}

function take(kind: SnsMessages, message: Fields, subject?: string, address?: string) {
  return kind.take(headOf(message, subject, address), Buffer.from(JSON.stringify(message)));
}

/** Calls that only end when aborted. */
const hangs: Get = (_, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(ScalerError.from(signal.reason)), { once: true });
  });

const logged = () => log.lines.map(({ message }) => message);

describe('messages that wait for a certificate', () => {
  it('are at most a thousand, then the sender with the most waiting loses some', async () => {
    const kind = kindWith(hangs);
    const message = signedMessage('Notification', signer);
    const waiting = [];
    for (let i = 0; i < 1_100; i += 1) {
      const SigningCertURL = forgedUrl(i);
      waiting.push(await take(kind, { ...message, SigningCertURL, MessageId: `id-${i}` }));
    }
    expect(new Set(waiting.map(({ status }) => status))).toEqual(new Set([202]));
    const honest = await take(kind, message, undefined, '198.51.100.1');
    kind.close();
    const outcomes = await Promise.all(waiting.map(({ decided }) => decided));
    expect(outcomes.filter((outcome) => outcome === 'busy')).toHaveLength(96);
    expect(new Set(outcomes)).toEqual(new Set(['unavailable', 'busy']));
    expect(await honest.decided).toBe('unavailable');
  });

  it('are counted as not verified if SNS cannot be reached, and that is logged once a minute', async () => {
    const kind = kindWith(() => Promise.reject(new ScalerError('unavailable', 'getaddrinfo ENOTFOUND')));
    for (let i = 0; i < 3; i += 1) {
      const { decided } = await take(kind, signedMessage('Notification', signer));
      expect(await decided).toBe('unavailable');
    }
    nowMs += 60_000;
    await (await take(kind, signedMessage('Notification', signer))).decided;
    expect(log.lines.map(({ fields }) => fields)).toEqual([
      { connection: 'jobs', certificate: signer.url, error: 'getaddrinfo ENOTFOUND' },
      { connection: 'jobs', certificate: signer.url, error: 'getaddrinfo ENOTFOUND', alsoRefused: 2 },
    ]);
    expect(logged()[0]).toContain('let this pod reach sns.<region>.amazonaws.com');
  });
});

describe('forged messages', () => {
  it.each(['192.0.2.1', '198.51.100.1'])(
    'keep no honest one with a certificate that is not known from being verified, sent from %s',
    async (address) => {
      const sns = new FakeSns(signer);
      const kind = kindWith(sns.get);
      const forged = [];
      for (let i = 0; i < 40; i += 1) {
        const message = { ...signedMessage('Notification', signer), SigningCertURL: forgedUrl(i) };
        forged.push((await take(kind, message)).decided);
      }
      const honest = await take(kind, signedMessage('Notification', signer), undefined, address);
      expect(await honest.decided).toBe('accepted');
      // Of the forged ones only those with a place were fetched, and do not exist.
      expect(sns.calls.length).toBeLessThan(12);
      expect(new Set(await Promise.all(forged))).toEqual(new Set(['refused']));
      expect(logged()).toHaveLength(1);
    },
  );

  it('with a malformed signature are refused', async () => {
    const kind = kindWith(new FakeSns(signer).get);
    for (const Signature of ['', '!', 'AAAA', 'A'.repeat(2048)]) {
      const { decided } = await take(kind, { ...signedMessage('Notification', signer), Signature });
      expect(await decided).toBe('refused');
    }
  });

  it('by another key with a true certificate are refused', async () => {
    const kind = kindWith(new FakeSns(signer).get);
    const forger = { ...makeSigner(), url: signer.url };
    expect(await (await take(kind, signedMessage('Notification', forger))).decided).toBe('refused');
  });
});

it('a message that comes twice at once is one hint', async () => {
  let hints = 0;
  const { get } = new FakeSns(signer);
  const hint = () => {
    hints += 1;
    return true;
  };
  const kind = new SnsMessages({ senders: () => known, hint, log, get, now: () => nowMs });
  const message = signedMessage('Notification', signer);
  const both = await Promise.all([take(kind, message, 'a'), take(kind, message, 'a')]);
  const outcomes = await Promise.all(both.map(({ decided }) => decided));
  expect([outcomes.sort(), hints]).toEqual([['accepted', 'ignored'], 1]);
});

it('logs what an operator can correct: topics that are not listed, a wrong clock, each once', async () => {
  const kind = kindWith(new FakeSns(signer).get);
  const other = signedMessage('Notification', signer, { TopicArn: `${topic}-2` });
  for (let i = 0; i < 2; i += 1) expect(await (await take(kind, other)).decided).toBe('foreign');
  nowMs += 2 * 60 * 60_000;
  const late = signedMessage('Notification', signer);
  for (let i = 0; i < 2; i += 1) expect((await take(kind, late)).status).toBe(401);
  expect(log.lines).toMatchObject([
    { fields: { connection: 'jobs', topic: `${topic}-2` }, message: expect.stringContaining('snsTopics') },
    { fields: { connection: 'jobs' }, message: expect.stringContaining('clock') },
  ]);
});
