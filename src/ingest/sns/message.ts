import { z } from 'zod';

/*
 * What SNS posts to an HTTP endpoint (Amazon SNS Developer Guide, "Parsing message formats"), as far as it is
 * signed or says who signed it. What is one line there is held to one line: the text that is signed parts its
 * fields by line ends, and a field with line ends in it could be read as several.
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

/** The message in a body; undefined where it is none. Its payload stays text: it is nobody's to read here. */
export function parseMessage(body: Buffer): Message | undefined {
  try {
    return message.safeParse(JSON.parse(body.toString('utf8'))).data;
  } catch {
    return undefined;
  }
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
