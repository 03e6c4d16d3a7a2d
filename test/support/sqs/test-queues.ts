import { randomBytes } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { region } from './region.ts';

const batch = 10;

/** The actions of a test as owner, producer and consumer of queues. Queues are given by name. */
export class TestQueues {
  private readonly client: SQSClient;
  private readonly urls = new Map<string, string>();

  constructor(endpoint: string) {
    this.client = new SQSClient({
      endpoint,
      region,
      credentials: { accessKeyId: 'owner', secretAccessKey: 'owner' },
    });
  }

  /** A unique name. */
  name(stem = 'queue'): string {
    return `${stem}-${randomBytes(4).toString('hex')}`;
  }

  /** Creates a queue and resolves with its name. A name that ends in `.fifo` makes a FIFO queue. */
  async create(name = this.name(), { visibilitySeconds = 600 } = {}): Promise<string> {
    const fifo = name.endsWith('.fifo') ? { FifoQueue: 'true', ContentBasedDeduplication: 'false' } : {};
    const Attributes = { VisibilityTimeout: String(visibilitySeconds), ...fifo };
    const { QueueUrl } = await this.client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    if (QueueUrl === undefined) throw new Error(`${name} has no URL`);
    this.urls.set(name, QueueUrl);
    return name;
  }

  /** The path of the queue's address: `/123456789012/name`, at any endpoint. */
  path(queue: string): string {
    return new URL(this.url(queue)).pathname;
  }

  async send(queue: string, count = 1, { delaySeconds, group }: Sending = {}): Promise<void> {
    for (let sent = 0; sent < count; sent += batch) {
      const Entries = Array.from({ length: Math.min(batch, count - sent) }, (_, index) => ({
        Id: String(index),
        MessageBody: `message ${sent + index}`,
        ...(delaySeconds === undefined ? {} : { DelaySeconds: delaySeconds }),
        ...(group === undefined
          ? {}
          : { MessageGroupId: group, MessageDeduplicationId: randomBytes(8).toString('hex') }),
      }));
      const result = await this.client.send(
        new SendMessageBatchCommand({ QueueUrl: this.url(queue), Entries }),
      );
      if (result.Failed?.length) throw new Error(`${queue} refused a message: ${result.Failed[0]?.Message}`);
    }
  }

  /** Receives up to this many messages, which are in flight until deleted. Resolves with their handles. */
  async receive(queue: string, count = 1): Promise<string[]> {
    const handles: string[] = [];
    while (handles.length < count) {
      const { Messages = [] } = await this.client.send(
        new ReceiveMessageCommand({
          QueueUrl: this.url(queue),
          MaxNumberOfMessages: Math.min(batch, count - handles.length),
        }),
      );
      if (Messages.length === 0) break;
      for (const { ReceiptHandle } of Messages) handles.push(ReceiptHandle ?? '');
    }
    return handles;
  }

  async delete(queue: string, handles: readonly string[]): Promise<void> {
    for (const ReceiptHandle of handles)
      await this.client.send(new DeleteMessageCommand({ QueueUrl: this.url(queue), ReceiptHandle }));
  }

  async remove(queue: string): Promise<void> {
    await this.client.send(new DeleteQueueCommand({ QueueUrl: this.url(queue) }));
    this.urls.delete(queue);
  }

  /** Visible, in flight, delayed: the server's counts. */
  async counts(queue: string): Promise<readonly [number, number, number]> {
    const { Attributes } = await this.client.send(
      new GetQueueAttributesCommand({ QueueUrl: this.url(queue), AttributeNames: ['All'] }),
    );
    return [
      Number(Attributes?.ApproximateNumberOfMessages),
      Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
      Number(Attributes?.ApproximateNumberOfMessagesDelayed),
    ];
  }

  close(): void {
    this.client.destroy();
  }

  private url(queue: string): string {
    const url = this.urls.get(queue);
    if (url === undefined) throw new Error(`${queue} was not made here`);
    return url;
  }
}

export interface Sending {
  readonly delaySeconds?: number;
  /** The message group, for FIFO queues. */
  readonly group?: string;
}
