import { describe, expect, it } from 'vitest';
import { parseQueueAddress } from '../../../../src/sources/sqs/rules/queue.ts';

const id = '123456789012';

describe('a queue', () => {
  it.each([
    ['jobs', undefined],
    ['jobs-2_b.fifo', undefined],
    ['x'.repeat(80), undefined],
    [`/${id}/jobs`, undefined],
    ['http://localhost:4566/000000000000/jobs', undefined],
    ['http://elasticmq:9324/queue/jobs', undefined],
    [`https://sqs.eu-central-1.amazonaws.com/${id}/jobs`, 'eu-central-1'],
    [`https://SQS.eu-central-1.amazonaws.com:443/${id}/jobs.fifo`, 'eu-central-1'],
    [`https://sqs.us-gov-west-1.amazonaws.com/${id}/jobs`, 'us-gov-west-1'],
    [`https://sqs.cn-north-1.amazonaws.com.cn/${id}/jobs`, 'cn-north-1'],
    [`https://sqs-fips.us-east-2.amazonaws.com/${id}/jobs`, 'us-east-2'],
    [`https://sqs.eu-west-1.api.aws/${id}/jobs`, 'eu-west-1'],
    [`https://vpce-0a1b-x2y.sqs.eu-west-1.vpce.amazonaws.com/${id}/jobs`, 'eu-west-1'],
    [`https://queue.amazonaws.com/${id}/jobs`, 'us-east-1'],
    [`https://ap-south-1.queue.amazonaws.com/${id}/jobs`, 'ap-south-1'],
    [`https://cn-north-1.queue.amazonaws.com.cn/${id}/jobs`, 'cn-north-1'],
    [`https://sqs.eusc-de-east-1.amazonaws.eu/${id}/jobs`, 'eusc-de-east-1'],
    [`https://sqs.eusc-de-east-1.api.amazonwebservices.eu/${id}/jobs`, 'eusc-de-east-1'],
    [`https://vpce-0a1b.sqs.eusc-de-east-1.vpce.amazonaws.eu/${id}/jobs`, 'eusc-de-east-1'],
    [`https://sqs.us-iso-east-1.c2s.ic.gov/${id}/jobs`, 'us-iso-east-1'],
    [`https://sqs.us-isob-east-1.sc2s.sgov.gov/${id}/jobs`, 'us-isob-east-1'],
    [`https://sqs.eu-isoe-west-1.cloud.adc-e.uk/${id}/jobs`, 'eu-isoe-west-1'],
    [`https://sqs.us-isof-south-1.csp.hci.ic.gov/${id}/jobs`, 'us-isof-south-1'],
  ])('%s is one, of region %s', (text, region) => {
    const address = parseQueueAddress(text);
    if (typeof address === 'string') throw new Error(address);
    expect(address.region).toBe(region);
    expect(address.name).toBe(text.slice(text.lastIndexOf('/') + 1));
  });

  it.each([
    [`https://sqs.eu-central-1.amazonaws.com.evil.example/${id}/jobs`],
    [`https://evil.example/${id}/jobs`],
    [`https://evilsqs.eu-central-1.amazonaws.com/${id}/jobs`],
    [`https://sqs.evil.amazonaws.com/${id}/jobs`],
    [`https://sqs.eu-central-1.amazonaws.eu/${id}/jobs`],
    [`https://sqs.eusc-de-east-1.amazonaws.com/${id}/jobs`],
    [`https://sqs.cn-north-1.amazonaws.com/${id}/jobs`],
    [`http://sqs.eu-central-1.amazonaws.com/${id}/jobs`],
    [`https://sqs.eu-central-1.amazonaws.com:8443/${id}/jobs`],
    [`http://169.254.169.254/latest/jobs`],
  ])('%s is on no host of AWS', (text) => {
    expect(parseQueueAddress(text)).toMatchObject({ region: undefined, origin: new URL(text).origin });
  });

  it.each([
    ['', /must be/],
    ['jobs.fifo.fifo', /must be/],
    ['x'.repeat(81), /must be/],
    ['acct/jobs', /must be/],
    ['arn:aws:sqs:eu-central-1:123456789012:jobs', /must be/],
    ['ftp://sqs.eu-central-1.amazonaws.com/1/jobs', /must be/],
    ['https://', /must be/],
    ['/jobs', /its path must be/],
    ['/a/b/jobs', /its path must be/],
    ['//host/jobs', /its path must be/],
    ['https://sqs.eu-central-1.amazonaws.com', /its path must be/],
    ['https://sqs.eu-central-1.amazonaws.com/jobs', /its path must be/],
    [`https://sqs.eu-central-1.amazonaws.com/${id}/`, /its path must be/],
    [`https://sqs.eu-central-1.amazonaws.com/${id}/jobs/`, /its path must be/],
    [`https://sqs.eu-central-1.amazonaws.com/${id}/jo%62s`, /cannot be the name/],
    [`https://sqs.eu-central-1.amazonaws.com/${id}/jobs?x=1`, /ends with its path/],
    [`https://sqs.eu-central-1.amazonaws.com/${id}/jobs#x`, /ends with its path/],
    [`https://me:secret@sqs.eu-central-1.amazonaws.com/${id}/jobs`, /without a user name/],
  ])('%s is not one', (text, fault) => {
    expect(parseQueueAddress(text)).toMatch(fault);
  });

  it('never says a password', () => {
    expect(parseQueueAddress('https://me:hunter2@example.com/1/jobs')).not.toContain('hunter2');
  });
});
