import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { silentSdkLog } from '../../../src/sources/sqs/upstream/client.ts';
import type { WorkQueue } from '../../workers.ts';
import { scenario } from './scenario.ts';

const retryMs = 500;

/** The queue of producer and workers, with AWS's ordinary client. */
export class OrderQueue implements WorkQueue {
  private readonly sqs: SQSClient;
  private readonly onFault: (error: unknown) => void;
  private queueUrl = '';
  private sent = 0;

  constructor(endpoint: string, onFault: (error: unknown) => void) {
    this.sqs = new SQSClient({
      endpoint,
      region: scenario.region,
      credentials: { accessKeyId: 'demo', secretAccessKey: 'demo' },
      useQueueUrlAsEndpoint: false,
      logger: silentSdkLog,
    });
    this.onFault = onFault;
  }

  async create(): Promise<void> {
    const { QueueUrl } = await this.sqs.send(new CreateQueueCommand({ QueueName: scenario.queue }));
    if (QueueUrl === undefined) throw new Error('SQS gave the new queue no URL');
    this.queueUrl = QueueUrl;
  }

  /** One SendMessageBatch, of at most ten orders. Resolves with the time of its answer. */
  async send(orders: number): Promise<number> {
    const entries = Array.from({ length: orders }, (_, i) => ({
      Id: String(i),
      MessageBody: `order ${++this.sent}`,
    }));
    const command = new SendMessageBatchCommand({ QueueUrl: this.queueUrl, Entries: entries });
    const { Failed = [] } = await this.sqs.send(command);
    if (Failed.length > 0) throw new Error(`SQS did not take ${Failed.length} of ${orders} orders`);
    return performance.now();
  }

  /** Messages that wait or are in work. This client asks SQS itself, without the scaler. */
  async open(): Promise<number> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const { Attributes: counts } = await this.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: this.queueUrl, AttributeNames: [...names] }),
    );
    return names.reduce((sum, name) => sum + Number(counts?.[name]), 0);
  }

  async work(_worker: string, stopped: AbortSignal): Promise<void> {
    try {
      // Never interrupted. Otherwise received messages would be invisible until their visibility timeout.
      const { Messages: orders = [] } = await this.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: this.queueUrl,
          MaxNumberOfMessages: scenario.queueLength,
          WaitTimeSeconds: 1,
        }),
      );
      if (orders.length > 0) await this.pack(orders, stopped);
    } catch (error) {
      if (stopped.aborted) return;
      this.onFault(error);
      await pause(retryMs, stopped);
    }
  }

  close(): void {
    this.sqs.destroy();
  }

  private async pack(orders: readonly Message[], stopped: AbortSignal): Promise<void> {
    await pause(orders.length * scenario.msPerOrder, stopped);
    if (stopped.aborted) return;
    const entries = orders.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    await this.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: this.queueUrl, Entries: entries }));
  }
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal: stopped }).catch(() => {});
}
