import { describe, expect, it } from 'vitest';
import { parseMessage, signedText } from '../../../../src/ingest/sns/message.ts';

const envelope = {
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: 'arn:aws:sns:us-west-2:123456789012:MyTopic',
  Message: 'Hello\nworld!',
  Timestamp: '2012-05-02T00:54:06.655Z',
  SignatureVersion: '1',
  Signature: 'EXAMPLEw6JRN',
  SigningCertURL:
    'https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem',
};
const notification = { Type: 'Notification', ...envelope };
const confirmation = {
  ...envelope,
  Token: '2336412f37',
  SubscribeURL: 'https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription',
};

function textOf(said: object): string | undefined {
  const message = parseMessage(Buffer.from(JSON.stringify(said)));
  return message === undefined ? undefined : signedText(message);
}

describe('the fields that SNS signs', () => {
  it('of a notification, without and with a subject', () => {
    const last = `Timestamp\n2012-05-02T00:54:06.655Z\nTopicArn\n${envelope.TopicArn}\nType\nNotification\n`;
    const first = `Message\nHello\nworld!\nMessageId\n${envelope.MessageId}\n`;
    expect(textOf(notification)).toBe(first + last);
    expect(textOf({ ...notification, Subject: null })).toBe(first + last);
    expect(textOf({ ...notification, Subject: 'My First' })).toBe(`${first}Subject\nMy First\n${last}`);
    expect(textOf({ ...notification, Subject: '' })).toBe(`${first}Subject\n\n${last}`);
  });

  it.each(['SubscriptionConfirmation', 'UnsubscribeConfirmation'])('of a %s, with its token', (Type) => {
    expect(textOf({ Type, ...confirmation })).toBe(
      [
        'Message\nHello\nworld!',
        `MessageId\n${envelope.MessageId}`,
        `SubscribeURL\n${confirmation.SubscribeURL}`,
        'Timestamp\n2012-05-02T00:54:06.655Z',
        'Token\n2336412f37',
        `TopicArn\n${envelope.TopicArn}`,
        `Type\n${Type}\n`,
      ].join('\n'),
    );
  });
});

describe('an invalid body', () => {
  it.each<[string, object]>([
    ['of another type', { ...notification, Type: 'Other' }],
    ['without a type', envelope],
    ['without a message', { ...notification, Message: undefined }],
    ['without a signature', { ...notification, Signature: undefined }],
    ['without a certificate', { ...notification, SigningCertURL: undefined }],
    ['with a message that is no text', { ...notification, Message: { a: 1 } }],
    ['with several lines for its id', { ...notification, MessageId: 'a\nTimestamp\nb' }],
    ['with several lines for its subject', { ...notification, Subject: 'a\nTimestamp\nb' }],
    ['with several lines for its topic', { ...notification, TopicArn: `x\n${envelope.TopicArn}` }],
    ['with a time that is none', { ...notification, Timestamp: 'now' }],
    ['confirming without a token', { Type: 'SubscriptionConfirmation', ...confirmation, Token: undefined }],
    ['confirming without a URL', { Type: 'SubscriptionConfirmation', ...envelope, Token: 'x' }],
    ['that is a list', [notification]],
  ])('%s', (_, said) => {
    expect(textOf(said)).toBeUndefined();
  });

  it.each(['', 'null', '1', '"Notification"', '{"Type":', '\ufeff{}'])('is %j', (text) => {
    expect(parseMessage(Buffer.from(text))).toBeUndefined();
  });
});
