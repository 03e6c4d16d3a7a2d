import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, refusal } from '../answer.ts';
import { mediaTypeOf } from '../media-type.ts';
import { type MessageType, messageTypes } from './message.ts';

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

/** SNS sends text/plain, or what `headerContentType` of its delivery policy says: of JSON, it can be told these two. */
export function isContentType(contentType: string | undefined): boolean {
  const given = mediaTypeOf(contentType);
  return given === 'text/plain' || given === 'application/json';
}
