import { describe, expect, it } from 'vitest';
import { ScalerError } from '../../../../src/errors.ts';
import { sqs } from '../../../../src/sources/sqs/index.ts';
import { byName, connectionOf, referenceOf, resolvingIn } from '../../../support/live-triggers.ts';
import { configOf } from './connecting.ts';

const roleArn = 'arn:aws:iam::123456789012:role/scaler';
const vpce = 'https://vpce-1-2.sqs.eu-west-1.vpce.amazonaws.com';

const connections = byName([
  connectionOf('frankfurt', sqs, configOf(undefined, { region: 'eu-central-1', roleArn })),
  connectionOf('virginia', sqs, configOf(undefined, { region: 'us-east-1' })),
  connectionOf('local', sqs, configOf('http://localstack:4566', { region: 'us-west-2' })),
  connectionOf('private', sqs, configOf(vpce, { region: 'eu-west-1' })),
]);
const resolve = resolvingIn([sqs], connections);

/** The connection of a trigger, or its faults. */
function chosen(metadata: Record<string, string>): string {
  try {
    return resolve(referenceOf({ source: 'sqs', queueURL: 'jobs', ...metadata })).connection.name;
  } catch (reason) {
    if (reason instanceof ScalerError) return reason.message;
    throw reason;
  }
}

describe('the connection of a trigger', () => {
  it.each([
    [{ connection: 'virginia' }, 'virginia'],
    [{ awsRegion: 'eu-central-1' }, 'frankfurt'],
    [{ awsRegionFromEnv: 'us-east-1' }, 'virginia'],
    [{ awsEndpoint: 'http://localstack:4566/' }, 'local'],
    [{ awsEndpoint: 'https://sqs.us-east-1.amazonaws.com' }, 'virginia'],
    [{ queueURL: 'https://sqs.eu-central-1.amazonaws.com/1/jobs' }, 'frankfurt'],
    [{ queueURL: 'https://queue.amazonaws.com/1/jobs' }, 'virginia'],
    [{ queueURL: 'http://localstack:4566/1/jobs' }, 'local'],
    [{ queueURL: 'https://sqs.eu-west-1.amazonaws.com/1/jobs' }, 'private'],
    [{ queueURL: `${vpce}/1/jobs` }, 'private'],
    [{ queueURL: 'https://sqs.us-east-1.amazonaws.com/1/jobs', awsRegion: 'us-east-1' }, 'virginia'],
  ])('by %j is %s', (metadata, name) => {
    expect(chosen(metadata)).toBe(name);
  });

  it("accepts KEDA's keys for identities", () => {
    const keda = { identityOwner: 'operator', awsAccessKeyIDFromEnv: 'a', awsSecretAccessKeyFromEnv: 'b' };
    expect(chosen({ ...keda, awsSessionToken: 'c', awsRoleArn: 'd', connection: 'local' })).toBe('local');
  });

  it.each([
    [
      { connection: 'virginia', awsRegion: 'eu-central-1' },
      'awsRegion: is not what connection "virginia" has',
    ],
    [{ connection: 'frankfurt', awsRoleArn: 'x' }, 'awsRoleArn: is not what connection "frankfurt" has'],
    [
      { awsRegion: 'eu-north-1' },
      'no connection of source sqs that namespace "shop" may use has queueURL "jobs", awsRegion "eu-north-1"',
    ],
    [{ queueURL: 'https://evil.example/1/jobs' }, 'may use has queueURL "https://evil.example/1/jobs"'],
    [{}, 'connection: must be named, 4 fit'],
    [{ queueURL: 'http://x/y', connection: 'local' }, 'queueURL: must be the URL of a queue'],
    [{ connection: 'local', queueUrl: 'x' }, '"queueUrl": unknown key (did you mean "queueURL"?)'],
  ])('by %j matches none', (metadata, fault) => {
    expect(chosen(metadata)).toContain(fault);
  });

  it('reports a fault of a queue once', () => {
    const said = chosen({
      connection: 'virginia',
      queueURL: 'https://sqs.eu-central-1.amazonaws.com/1/jobs',
    });
    expect(said.match(/queueURL/g)).toHaveLength(1);
    expect(said).toContain('"jobs" is in eu-central-1, the connection is for us-east-1');
  });
});
