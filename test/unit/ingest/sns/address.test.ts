import { describe, expect, it } from 'vitest';
import { isCertificateUrl, isInRegionOf, isSubscribeUrl } from '../../../../src/ingest/sns/message.ts';

const name = 'SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem';
const topic = 'arn:aws:sns:us-west-2:123456789012:MyTopic';
const token = '2336412f37';
const query = `Action=ConfirmSubscription&TopicArn=${topic}&Token=${token}`;

/** Addresses that a forger may write instead of a host of SNS. None may be called. */
const elsewhere = [
  'http://sns.us-west-2.amazonaws.com/',
  'https://sns.us-west-2.amazonaws.com:8443/',
  'https://sns.us-west-2.amazonaws.com:443/',
  'https://user@sns.us-west-2.amazonaws.com/',
  'https://user:password@sns.us-west-2.amazonaws.com/',
  'https://sns.us-west-2.amazonaws.com@evil.example/',
  'https://sns.us-west-2.amazonaws.com.evil.example/',
  'https://evil.example/sns.us-west-2.amazonaws.com/',
  'https://evil.example#sns.us-west-2.amazonaws.com/',
  'https://evilsns.us-west-2.amazonaws.com/',
  'https://sns.us-west-2.amazonaws.com.cn.evil.example/',
  'https://sns.us-west-2.amazonaws.org/',
  'https://sns.a.b.amazonaws.com/',
  'https://sns.x.amazonaws.com/',
  'https://my-bucket.s3.amazonaws.com/',
  'https://sns-us-west-2.amazonaws.com/',
  'https://127.0.0.1/',
  'https://169.254.169.254/',
  'https://[::1]/',
  'https://2130706433/',
  'https://localhost/',
  'https://sns.us-west-2.amazonaws\u3002com/',
  'https://sns.us-west-2.amaz\u043enaws.com/',
  'https://\uff53ns.us-west-2.amazonaws.com/',
  'https://sns.us-west-2.amazonaws.com\\@evil.example/',
  'https://sns.us-west-2.amazonaws.com%2eevil.example/',
  'https://SNS.us-west-2.amazonaws.com/',
  ' https://sns.us-west-2.amazonaws.com/',
  'https:\t//sns.us-west-2.amazonaws.com/',
  'https://sns.us-west-2.amazonaws.com/../',
  'https://sns.us-west-2.amazonaws.com//',
  '//sns.us-west-2.amazonaws.com/',
  'file:///etc/passwd?',
  '',
];

describe('the address of a certificate', () => {
  it.each(['us-west-2', 'us-gov-west-1', 'ap-southeast-7'])('is at SNS in %s', (region) => {
    expect(isCertificateUrl(`https://sns.${region}.amazonaws.com/${name}`)).toBe(true);
  });

  it('is at SNS in China', () => {
    expect(isCertificateUrl(`https://sns.cn-north-1.amazonaws.com.cn/${name}`)).toBe(true);
  });

  it.each([
    'sns.eusc-de-east-1.amazonaws.eu',
    'sns.us-iso-east-1.c2s.ic.gov',
    'sns.us-isob-east-1.sc2s.sgov.gov',
    'sns.eu-isoe-west-1.cloud.adc-e.uk',
    'sns.us-isof-south-1.csp.hci.ic.gov',
  ])('is at SNS in other partitions of AWS: %s', (host) => {
    expect(isCertificateUrl(`https://${host}/${name}`)).toBe(true);
  });

  it.each(['sns.us-west-2.amazonaws.eu', 'sns.eusc-de-east-1.amazonaws.com', 'sns.cn-north-1.amazonaws.com'])(
    'is not in another partition than its region: %s',
    (host) => {
      expect(isCertificateUrl(`https://${host}/${name}`)).toBe(false);
    },
  );

  it.each(elsewhere)('is not at %j', (origin) => {
    expect(isCertificateUrl(`${origin}${name}`)).toBe(false);
  });

  it.each([
    ['us-west-2', true],
    ['us-west-1', false],
    ['us-west-22', false],
  ])('is in the region of the topic: in %s is %s', (region, isRight) => {
    expect(isInRegionOf(topic, `https://sns.${region}.amazonaws.com/${name}`)).toBe(isRight);
  });

  it.each([
    name.replace('.pem', '.PEM'),
    name.replace('010a', '010A'),
    name.replace('010a', '10a'),
    `${name}?x=1`,
    `${name}#x`,
    `${name}\n`,
    `x/${name}`,
    `../${name}`,
    'other.pem',
    '',
  ])('is not called %j', (path) => {
    expect(isCertificateUrl(`https://sns.us-west-2.amazonaws.com/${path}`)).toBe(false);
  });
});

describe('the address that confirms a subscription', () => {
  const at = (origin: string, text = query) => isSubscribeUrl(`${origin}?${text}`, topic, token);
  const sns = 'https://sns.us-west-2.amazonaws.com/';

  it('is at SNS, and names what is confirmed', () => {
    expect(at(sns)).toBe(true);
    expect(at(sns, query.replaceAll(':', '%3A'))).toBe(true);
    expect(at('https://sns.cn-north-1.amazonaws.com.cn/')).toBe(true);
  });

  it.each(elsewhere)('is not at %j', (origin) => {
    expect(at(origin)).toBe(false);
  });

  it.each([
    query.replace('ConfirmSubscription', 'Unsubscribe'),
    query.replace('MyTopic', 'Other'),
    query.replace(token, '1'),
    `Action=Publish&${query}`,
    `${query}&Action=Publish`,
    `${query}&TopicArn=${topic}`,
    query.replace('Action=ConfirmSubscription&', ''),
    query.replace(`&Token=${token}`, ''),
    `${query}#x`,
    `${query}\n`,
    '',
  ])('does not ask for %j', (asked) => {
    expect(at(sns, asked)).toBe(false);
  });
});
