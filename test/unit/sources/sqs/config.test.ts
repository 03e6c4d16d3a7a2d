import { describe, expect, it } from 'vitest';
import { sqsConfig } from '../../../../src/sources/sqs/config.ts';
import { sqs } from '../../../../src/sources/sqs/index.ts';

const region = 'eu-central-1';
const roleArn = 'arn:aws:iam::123456789012:role/scaler';
const topic = 'arn:aws:sns:eu-central-1:123456789012:jobs';

function faultsOf(settings: object): string[] {
  const { error } = sqsConfig.safeParse({ region, ...settings });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('an SQS connection', () => {
  it('needs a region, and has defaults for the rest', () => {
    expect(sqsConfig.parse({ region })).toEqual({
      region,
      idleReadSeconds: 5,
      activeReadSeconds: 2,
      requestTimeoutMs: 2000,
      maxSockets: 32,
    });
    expect(sqsConfig.safeParse({}).success).toBe(false);
  });

  it.each([
    ['HTTP://LocalStack:4566/', 'http://localstack:4566'],
    [
      'https://vpce-1-2.sqs.eu-central-1.vpce.amazonaws.com',
      'https://vpce-1-2.sqs.eu-central-1.vpce.amazonaws.com',
    ],
    ['https://sqs.eu-central-1.amazonaws.com:443', 'https://sqs.eu-central-1.amazonaws.com'],
    ['http://[::1]:4566', 'http://[::1]:4566'],
  ])('has the endpoint %s in one spelling', (endpoint, spelled) => {
    expect(sqsConfig.parse({ region, endpoint }).endpoint).toBe(spelled);
  });

  it('may be HTTP: no request carries a secret', () => {
    expect(sqs.sendsSecretInPlaintext).toBeUndefined();
  });

  it.each([
    [{ region: 'EU Central' }, 'region: must be a region such as eu-central-1'],
    [{ endpoint: 'localhost:4566' }, 'endpoint: must be a host to send requests to'],
    [{ endpoint: 'http://localhost:4566/queue' }, 'endpoint: must be a host to send requests to'],
    [{ endpoint: 'http://me:secret@localhost' }, 'endpoint: must be a host to send requests to'],
    [{ roleArn: 'scaler' }, 'roleArn: must be the ARN of a role'],
    [{ externalId: 'x' }, 'externalId: needs roleArn'],
    [{ snsTopics: ['jobs'] }, 'snsTopics.0: must be the ARN of an SNS topic'],
    [{ idleReadSeconds: 0.5 }, 'idleReadSeconds: '],
    [{ activeReadSeconds: 0 }, 'activeReadSeconds: '],
    [{ maxSockets: 0 }, 'maxSockets: '],
    [{ credentials: { accessKeyId: 'AKID' } }, 'credentials.secretAccessKey: '],
    [{ queueURL: 'jobs' }, ': Unrecognized key'],
  ])('%j is refused', (settings, fault) => {
    expect(faultsOf(settings)).toEqual([expect.stringContaining(fault)]);
  });

  it('takes a role with an external id', () => {
    expect(faultsOf({ roleArn, externalId: 'x' })).toEqual([]);
    expect(faultsOf({ roleArn: roleArn.replace('aws', 'aws-cn') })).toEqual([]);
  });

  it('is woken by its topics alone', () => {
    expect(sqs.snsTopics?.(sqsConfig.parse({ region, snsTopics: [topic] }))).toEqual([topic]);
    expect(sqs.snsTopics?.(sqsConfig.parse({ region }))).toEqual([]);
  });
});
