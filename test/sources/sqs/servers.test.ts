import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it, vi } from 'vitest';
import { sdkClient } from '../../support/sqs/client.ts';
import * as trouble from '../../support/sqs/trouble.ts';
import type { SqsKind } from '../../support/sqs/use-sqs.ts';
import { type Test, useSqs } from '../../support/sqs/use-sqs.ts';

/*
 * What the other tests assume about the two servers, and about the proxy in front of them. Both must agree. Otherwise
 * one of them would teach us something that SQS does not do.
 */
describe.each<SqsKind>(['moto', 'elasticmq'])('the SQS of the tests: %s', (kind) => {
  const sqs = useSqs(kind);

  it('counts messages through sending, receiving, deleting and delay', async () => {
    const { queues } = sqs();
    const queue = await queues.create();
    expect(await queues.counts(queue)).toEqual([0, 0, 0]);
    await queues.send(queue, 13);
    expect(await queues.counts(queue)).toEqual([13, 0, 0]);
    await queues.send(queue, 2, { delaySeconds: 600 });
    expect(await queues.counts(queue)).toEqual([13, 0, 2]);
    const handles = await queues.receive(queue, 4);
    expect(await queues.counts(queue)).toEqual([9, 4, 2]);
    await queues.delete(queue, handles.slice(0, 3));
    expect(await queues.counts(queue)).toEqual([9, 1, 2]);
  });

  it('gives back received messages that were not deleted, and delayed ones', async () => {
    const { queues } = sqs();
    const queue = await queues.create(queues.name(), { visibilitySeconds: 1 });
    await queues.send(queue, 1, { delaySeconds: 1 });
    await queues.send(queue, 1);
    await queues.receive(queue);
    expect(await queues.counts(queue)).toEqual([0, 1, 1]);
    await vi.waitFor(async () => expect(await queues.counts(queue)).toEqual([2, 0, 0]), 10_000);
  });

  it('keeps a message group back while one of its messages is in flight', async () => {
    const { queues } = sqs();
    const queue = await queues.create(`${queues.name()}.fifo`);
    await queues.send(queue, 3, { group: 'a' });
    await queues.receive(queue, 1);
    expect(await queues.receive(queue, 10)).toHaveLength(0);
    expect(await queues.counts(queue)).toEqual([2, 1, 0]);
  });

  it('names its queues by the proxy in front of it', async (test) => {
    const { queues, proxy } = sqs();
    const queue = await queues.create();
    const { url } = await proxy(test);
    const { QueueUrl } = await sdkClient(test, url).send(new GetQueueUrlCommand({ QueueName: queue }));
    expect(QueueUrl).toBe(url + queues.path(queue));
  });

  it('reports that a missing queue does not exist', async (test) => {
    const { url } = await sqs().proxy(test);
    const client = sdkClient(test, url);
    const asked = client.send(new GetQueueUrlCommand({ QueueName: 'nobody-made-this' }));
    await expect(asked).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });
});

describe('the proxy in front of it', () => {
  const sqs = useSqs('moto');

  async function asked(test: Test) {
    const { queues, proxy } = sqs();
    const queue = await queues.create();
    const through = await proxy(test);
    const client = sdkClient(test, through.url);
    const counts = async () => {
      const QueueUrl = through.url + queues.path(queue);
      const AttributeNames = ['ApproximateNumberOfMessages' as const];
      const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
      return Attributes?.ApproximateNumberOfMessages;
    };
    return { queues, queue, through, counts };
  }

  it('lets counts lag', async (test) => {
    const { queues, queue, through, counts } = await asked(test);
    await through.lag(queue, 60_000);
    await queues.send(queue, 5);
    expect(await counts()).toBe('0');
    await through.lag(queue, 300);
    await queues.send(queue, 2);
    await vi.waitFor(async () => expect(await counts()).toBe('7'), 10_000);
    through.settle(queue);
    await queues.send(queue, 1);
    expect(await counts()).toBe('8');
  });

  it('adds phantoms', async (test) => {
    const { queue, through, counts } = await asked(test);
    through.phantom(queue, { visible: 1 }, 2);
    expect([await counts(), await counts(), await counts()]).toEqual(['1', '1', '0']);
  });

  it.for([
    ['RequestThrottled', trouble.requestThrottled],
    ['Throttling', trouble.rateExceeded],
    ['AccessDenied', trouble.accessDenied],
    ['ExpiredToken', trouble.expiredToken],
    ['SignatureDoesNotMatch', trouble.wrongRegion],
  ] as const)('answers %s as the SDK knows it', async ([code, given], test) => {
    const { queue, through, counts } = await asked(test);
    const mend = through.trouble(given, { operation: 'GetQueueAttributes', queue });
    await expect(counts()).rejects.toMatchObject({ Code: code });
    mend();
    expect(await counts()).toBe('0');
    expect(through.count({ operation: 'GetQueueAttributes', queue, region: 'eu-central-1' })).toBe(2);
  });

  it('ends connections', async (test) => {
    const { through, counts } = await asked(test);
    through.trouble(trouble.reset);
    await expect(counts()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
