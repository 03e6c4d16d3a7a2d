import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { OrderQueue } from '../../../../../demo/stories/sqs/order-queue.ts';
import { startSqs } from '../../../../../fakes/sqs/embedded-sqs.ts';
import { sdkClient } from '../../../../support/sqs/client.ts';

async function start() {
  const sqs = await startSqs();
  onTestFinished(() => sqs.close());
  const faults: unknown[] = [];
  const queue = new OrderQueue(sqs.endpoint, (error) => faults.push(error));
  onTestFinished(() => queue.close());
  await queue.create();
  return { sqs, queue, faults };
}

const going = new AbortController().signal;

it('has orders open until a worker has deleted them', async () => {
  const { queue, faults } = await start();
  await queue.send(1);
  const work = queue.work('worker-1', going);
  expect(await queue.open()).toBe(1);
  await work;
  expect([await queue.open(), faults]).toEqual([0, []]);
});

it('gives a worker the orders of one replica', async (test) => {
  const { sqs, queue } = await start();
  await queue.send(10);
  const client = sdkClient(test, sqs.endpoint);
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: 'orders' }));
  const command = new GetQueueAttributesCommand({
    QueueUrl,
    AttributeNames: ['ApproximateNumberOfMessagesNotVisible'],
  });
  const stop = new AbortController();
  const work = queue.work('worker-1', stop.signal);
  await vi.waitFor(async () => {
    const { Attributes: counts } = await client.send(command);
    expect(counts).toEqual({ ApproximateNumberOfMessagesNotVisible: '5' });
  });
  stop.abort();
  await work;
  expect(await queue.open()).toBe(10);
});

it('reports failures of its work, and continues', async () => {
  const { sqs, queue, faults } = await start();
  await sqs.close();
  await queue.work('worker-1', going);
  expect(faults).toHaveLength(1);
});
