import { createSign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScalerError } from '../../src/errors.ts';
import type { Get, GetLimits } from '../../src/ingest/sns/https-get.ts';
import { type CertificateOptions, makeCertificates } from './certificates.ts';
import { type Post, type Posted, post } from './ingest.ts';

export const topic = 'arn:aws:sns:eu-central-1:123456789012:orders';
const host = 'https://sns.eu-central-1.amazonaws.com';
const token = '2336412f37fb687f5d51e6e2425e';

export type Fields = Record<string, string | null | undefined>;
type Type = 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';

/** A key and its certificate, as SNS has one for each region. */
export interface Signer {
  readonly key: string;
  readonly certificate: string;
  readonly url: string;
}

let made = 0;

export function makeSigner(options: CertificateOptions = {}): Signer {
  const dir = mkdtempSync(join(tmpdir(), 'sns-'));
  const { server } = makeCertificates(dir, { rsa: true, serverName: 'sns.amazonaws.com', ...options });
  const [key, certificate] = [readFileSync(server.key, 'utf8'), readFileSync(server.cert, 'utf8')];
  rmSync(dir, { recursive: true });
  made += 1;
  return {
    key,
    certificate,
    url: `${host}/SimpleNotificationService-${String(made).padStart(32, '0')}.pem`,
  };
}

/** SNS's answers to requests, and a list of these requests. */
export class FakeSns {
  readonly calls: string[] = [];
  readonly answers = new Map<string, string | ScalerError>();
  readonly limits: GetLimits[] = [];
  /** While set, requests wait for it. */
  hang: Promise<void> | undefined;
  readonly get: Get = async (url, limits) => {
    this.calls.push(url);
    this.limits.push(limits);
    await this.hang;
    const answer = this.answers.get(url) ?? new ScalerError('not_found', 'answered with 404');
    if (typeof answer === 'string') return answer;
    throw answer;
  };

  constructor(...signers: readonly Signer[]) {
    for (const { url, certificate } of signers) this.answers.set(url, certificate);
  }
}

let sent = 0;

/** A message signed as SNS does: over all of its signed fields in alphabetical order, as the guide lists them. */
export function signedMessage(
  type: Type,
  signer: Signer,
  { version = '2', ...more }: Fields & { version?: string } = {},
): Fields {
  sent += 1;
  const isConfirmation = type !== 'Notification';
  const said: Fields = {
    Type: type,
    MessageId: `165545c9-2a5c-472c-8df2-${String(sent).padStart(12, '0')}`,
    TopicArn: topic,
    Message: 'it is "here"\nand ü here',
    Timestamp: new Date().toISOString(),
    ...(isConfirmation ? { Token: token, SubscribeURL: subscribeUrl() } : {}),
    ...more,
  };
  const signed = Object.entries(said)
    .filter(([, value]) => typeof value === 'string')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
  const sign = createSign(version === '1' ? 'sha1' : 'sha256').update(signed);
  return {
    ...said,
    SignatureVersion: version,
    Signature: sign.sign(signer.key, 'base64'),
    SigningCertURL: signer.url,
    UnsubscribeURL: `${host}/?Action=Unsubscribe&SubscriptionArn=${topic}:c9135db0`,
  };
}

export function subscribeUrl(): string {
  return `${host}/?Action=ConfirmSubscription&TopicArn=${topic}&Token=${token}`;
}

/** Posts a message with SNS's headers. */
export function deliver(
  port: number,
  message: Fields,
  { path = '/ingest/sns/jobs/orders', headers = {}, ...more }: Post = {},
): Promise<Posted> {
  return post(port, {
    path,
    body: JSON.stringify(message),
    headers: {
      'content-type': 'text/plain; charset=UTF-8',
      'x-amz-sns-message-type': message['Type'] ?? [],
      'x-amz-sns-message-id': message['MessageId'] ?? [],
      'x-amz-sns-topic-arn': message['TopicArn'] ?? [],
      ...headers,
    },
    ...more,
  });
}
