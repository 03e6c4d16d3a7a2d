import { createVerify, type KeyObject, type Verify } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { regionalHost } from '../../aws-endpoints.ts';
import { JsonReader } from '../../json.ts';
import { type Answer, refusal } from '../answer.ts';
import { mediaTypeOf } from '../media-type.ts';

/*
 * What SNS posts to an HTTP endpoint (Amazon SNS Developer Guide, "Parsing message formats"), as far as it is
 * signed or names its signer. Single-line fields must be a single line: the signed text separates fields by line ends, and
 * a field with line ends could be read as several.
 */

/** The three kinds of message, as `x-amz-sns-message-type` and `Type` name them. */
export const messageTypes = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const;
export type MessageType = (typeof messageTypes)[number];

const line = z.string().regex(/^[^\r\n]*$/);

const envelope = {
  MessageId: z.string().regex(/^[\w-]{1,100}$/),
  Message: z.string(),
  Timestamp: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/),
  TopicArn: line.max(512),
  SignatureVersion: line.max(8),
  Signature: line.max(2048),
  SigningCertURL: line.max(512),
};

const confirmation = { ...envelope, Token: line.max(2048), SubscribeURL: line.max(4096) };

const message = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), ...envelope, Subject: line.max(1024).nullish() }),
  z.object({ Type: z.literal('SubscriptionConfirmation'), ...confirmation }),
  z.object({ Type: z.literal('UnsubscribeConfirmation'), ...confirmation }),
]);

export type Message = z.output<typeof message>;

/** A message has some twenty values, and each of its attributes three more. */
export const maxValues = 1_000;

/** The message in a body. Undefined if it is no message. Its payload stays unread text. */
export function parseMessage(body: Buffer): Message | undefined {
  const read = new JsonReader(maxValues).read(body);
  return 'value' in read ? message.safeParse(read.value).data : undefined;
}

/** The text that SNS signs (Developer Guide, "Verifying the signatures of Amazon SNS messages"): names and values, a line each. */
export function signedText(message: Message): string {
  return signedFields(message)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
}

function signedFields(said: Message): readonly (readonly [string, string])[] {
  const { Message, MessageId, Timestamp, TopicArn, Type } = said;
  const first = [
    ['Message', Message],
    ['MessageId', MessageId],
  ] as const;
  const time = ['Timestamp', Timestamp] as const;
  const last = [
    ['TopicArn', TopicArn],
    ['Type', Type],
  ] as const;
  if (said.Type !== 'Notification') {
    return [...first, ['SubscribeURL', said.SubscribeURL], time, ['Token', said.Token], ...last];
  }
  const { Subject } = said;
  return [...first, ...(typeof Subject === 'string' ? [['Subject', Subject] as const] : []), time, ...last];
}

/** What the headers of a message say (Amazon SNS Developer Guide, "HTTP/HTTPS headers"). They are not signed. */
export interface Announced {
  readonly type: MessageType;
  readonly topic: string;
}

/** Undefined where a request does not even say that it is of SNS. */
export function announcedIn(headers: IncomingHttpHeaders): Announced | undefined {
  const topic = headers['x-amz-sns-topic-arn'];
  const type = messageTypes.find((one) => one === headers['x-amz-sns-message-type']);
  return type === undefined || !isTopicArn(topic) ? undefined : { type, topic };
}

export function isRaw(headers: IncomingHttpHeaders): boolean {
  return String(headers['x-amz-sns-rawdelivery']).toLowerCase() === 'true';
}

/** `arn:<partition>:sns:<region>:<account>:<name>`; a name has at most 256 characters (SNS API, CreateTopic). */
function isTopicArn(text: unknown): text is string {
  return (
    typeof text === 'string' && /^arn:aws[a-z-]{0,20}:sns:[a-z0-9-]{3,32}:\d{12}:[\w.-]{1,256}$/.test(text)
  );
}

export function unsigned(): Answer {
  const error = 'is no message of Amazon SNS: needs x-amz-sns-message-type and x-amz-sns-topic-arn';
  return refusal(401, 'unsigned', error);
}

export function unsignedRaw(): Answer {
  const error = 'raw message delivery is not signed: turn it off for this subscription (RawMessageDelivery)';
  return refusal(401, 'unsigned', error);
}

/** SNS sends text/plain, or one of these two JSON types by `headerContentType` of its delivery policy. */
export function isContentType(contentType: string | undefined): boolean {
  const given = mediaTypeOf(contentType);
  return given === 'text/plain' || given === 'application/json';
}

/*
 * The only addresses that a message can make us call. They are matched as text and whole, before anything is
 * made of them: no other port, no user, no host that only looks like one of SNS.
 */

const certificate =
  /^https:\/\/sns\.([a-z0-9-]{3,32})\.([a-z0-9.-]{3,64})\/SimpleNotificationService-[0-9a-f]{32}\.pem$/;
const subscribe = /^https:\/\/sns\.([a-z0-9-]{3,32})\.([a-z0-9.-]{3,64})\/\?([!-"$-~]+)$/;

/** Whether the host is SNS's of that region, in whichever partition of AWS it is. */
function isSns(region: string | undefined, suffix: string | undefined): boolean {
  return region !== undefined && `sns.${region}.${suffix}` === regionalHost('sns', region);
}

/** Where SNS publishes the certificates that it signs with. */
export function isCertificateUrl(text: string): boolean {
  const [, region, suffix] = certificate.exec(text) ?? [];
  return isSns(region, suffix);
}

/** Whether an address is at SNS's host of the topic's own region: no other one signs for it, or confirms. */
export function isInRegionOf(topic: string, url: string): boolean {
  return url.startsWith(`https://sns.${topic.split(':')[3]}.`);
}

/** Whether a call of `SubscribeURL` does nothing but confirm the subscription of this topic. */
export function isSubscribeUrl(text: string, topic: string, token: string): boolean {
  const [, region, suffix, query] = subscribe.exec(text) ?? [];
  if (!isSns(region, suffix)) return false;
  const params = new URLSearchParams(query);
  const is = (name: string, value: string): boolean => {
    const given = params.getAll(name);
    return given.length === 1 && given[0] === value;
  };
  return is('Action', 'ConfirmSubscription') && is('TopicArn', topic) && is('Token', token);
}

/** By `SignatureVersion`: PKCS #1 v1.5 with SHA-1, and with SHA-256 where the topic asks for it. */
const algorithms = new Map([
  ['1', 'RSA-SHA1'],
  ['2', 'RSA-SHA256'],
]);

/** A message's signature, before the key is there: the text is hashed already, and need not be kept. */
export class Signature {
  private readonly verifier: Verify;
  private readonly signature: string;

  /** Undefined for an unknown version. */
  static of(message: Message): Signature | undefined {
    const algorithm = algorithms.get(message.SignatureVersion);
    return algorithm === undefined ? undefined : new Signature(algorithm, message);
  }

  private constructor(algorithm: string, message: Message) {
    this.verifier = createVerify(algorithm).update(signedText(message), 'utf8');
    this.signature = message.Signature;
  }

  /** Once. */
  isBy(key: KeyObject): boolean {
    return this.verifier.verify(key, this.signature, 'base64');
  }
}
