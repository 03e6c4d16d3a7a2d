import {
  CreateQueueCommand,
  PurgeQueueCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type EmbeddedSqs, startSqs } from '../../fakes/sqs/embedded-sqs.ts';
import { TcpProxy } from '../../fakes/tcp-proxy.ts';
import { type Backlog, names, type Place, type Surroundings } from './place.ts';

const region = 'eu-central-1';
export const connection = 'queues';
/** Senders for this topic must sign. */
export const snsTopic = `arn:aws:sns:${region}:123456789012:chaos`;
const credentials = { accessKeyId: 'chaos', secretAccessKey: 'chaos' };
const maxStalenessSeconds = 6;
/** A read every second makes up for a lost hint. *Inactive* needs two. */
const boundMs = 6000;
const hintLimitMs = 3000;
/** The most messages in a request to SQS. */
const batchMost = 10;

/** A queue service in this process. Pods reach it through a proxy, its senders directly. */
export class SqsPlace implements Place {
  readonly proxy: TcpProxy;
  private readonly service: EmbeddedSqs;
  private readonly client: SQSClient;
  private readonly surroundings: Surroundings;

  static async start(surroundings: Surroundings): Promise<SqsPlace> {
    const service = await startSqs();
    const port = Number(new URL(service.endpoint).port);
    return new SqsPlace(service, await TcpProxy.start(() => port), surroundings);
  }

  private constructor(service: EmbeddedSqs, proxy: TcpProxy, surroundings: Surroundings) {
    this.service = service;
    this.proxy = proxy;
    this.surroundings = surroundings;
    const { endpoint } = service;
    // The SDK writes into the object that it gets.
    this.client = new SQSClient({
      endpoint,
      region,
      credentials: { ...credentials },
      useQueueUrlAsEndpoint: false,
    });
  }

  async connections() {
    const endpoint = `http://127.0.0.1:${this.proxy.port}`;
    const pace = { idleReadSeconds: 1, activeReadSeconds: 1 };
    return { [connection]: { source: 'sqs', region, endpoint, credentials, snsTopics: [snsTopic], ...pace } };
  }

  make(count: number): Promise<Backlog[]> {
    return Promise.all(names('queue', count).map((queue) => this.queue(queue)));
  }

  async close(): Promise<void> {
    this.client.destroy();
    this.proxy.close();
    await this.service.close();
  }

  private async queue(queue: string): Promise<Backlog> {
    const { QueueUrl = '' } = await this.client.send(new CreateQueueCommand({ QueueName: queue }));
    const { tell } = this.surroundings;
    let items = 0;
    const change = async (to: number, make: () => Promise<unknown>): Promise<void> => {
      tell(queue, { least: Math.min(items, to), most: Math.max(items, to) });
      await make();
      items = to;
      tell(queue, { least: items, most: items });
      // A lost hint only costs time.
      await this.hint(queue).catch(() => {});
    };
    const scalerMetadata = {
      source: 'sqs',
      connection,
      queueURL: queue,
      queueLength: '5',
      maxStalenessSeconds: String(maxStalenessSeconds),
    };
    return {
      subject: { name: queue, boundMs, maxStalenessMs: maxStalenessSeconds * 1000 },
      reference: { name: `${queue}-worker`, namespace: 'chaos', scalerMetadata },
      grow: (more) => change(items + more, () => this.send(QueueUrl, more)),
      empty: () => change(0, () => this.client.send(new PurgeQueueCommand({ QueueUrl }))),
    };
  }

  private async send(QueueUrl: string, items: number): Promise<void> {
    for (let sent = 0; sent < items; sent += batchMost) {
      const count = Math.min(batchMost, items - sent);
      const Entries = Array.from({ length: count }, (_, id) => ({ Id: `m${id}`, MessageBody: 'a message' }));
      await this.client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    }
  }

  private async hint(queue: string): Promise<void> {
    const { ingestUrl, token } = this.surroundings;
    const answer = await fetch(`${ingestUrl}/ingest/hint/${connection}/${queue}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, connection: 'close' },
      signal: AbortSignal.timeout(hintLimitMs),
    });
    await answer.arrayBuffer();
  }
}
