import { fileURLToPath } from 'node:url';
import type { ScaledObjectRef } from '../../src/grpc/generated/externalscaler/ScaledObjectRef.ts';
import type { Checkout } from './checkout.ts';
import { NodeProcess } from './child-process.ts';
import type { ScalerProcess } from './scaler.ts';

const server = fileURLToPath(new URL('./sqs-server.ts', import.meta.url));
const kedaWay = fileURLToPath(new URL('./sqs-keda-way.ts', import.meta.url));
const token = 'a-token-of-the-bench';
export const region = 'eu-central-1';

/** The queue service of the bench, in a process of its own. */
export class BenchSqs {
  readonly url: string;
  private readonly process: NodeProcess;

  static async start(): Promise<BenchSqs> {
    const child = new NodeProcess([server]);
    let port = '';
    await child.until((line) => {
      [, port = ''] = /^port (\d+)$/.exec(line) ?? [];
      return port !== '';
    });
    return new BenchSqs(child, port);
  }

  private constructor(child: NodeProcess, port: string) {
    this.process = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** From now on the queue has this many messages. */
  async setMessages(queue: string, count: number): Promise<void> {
    await fetch(`${this.url}/queues/${queue}`, { method: 'PUT', body: String(count) });
  }

  /** How many requests of any kind it has had. */
  async requests(): Promise<number> {
    const counted: unknown = await (await fetch(`${this.url}/requests`)).json();
    return Object.values(counted ?? {}).reduce((sum: number, count) => sum + Number(count), 0);
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** A checkout's scaler with one connection to it, and a token for hints. */
export function serveSqs(
  checkout: Checkout,
  { url }: BenchSqs,
  cadence: object = {},
  more: object = {},
): Promise<ScalerProcess> {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const jobs = { source: 'sqs', region, endpoint: url, credentials, ...cadence };
  const ingest = { host: '127.0.0.1', port: 0, tokens: [{ name: 'bench', token, connections: ['jobs'] }] };
  return checkout.serve({ ingest, connections: { jobs }, ...more });
}

/** Posts a hint. Resolves when it is accepted. */
export async function hint({ ingestUrl }: ScalerProcess, queue: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${ingestUrl}/ingest/hint/jobs/${queue}`, { method: 'POST', headers });
  if (response.status !== 202) throw new Error(`a hint was answered with ${response.status}`);
  await response.arrayBuffer();
}

/** A ScaledObject for a queue. The number distinguishes those on the same queue. */
export function worker(queue: string, number = 0): ScaledObjectRef {
  const scalerMetadata = { source: 'sqs', queueURL: queue, queueLength: '5' };
  return { name: `${queue}-worker-${number}`, namespace: 'bench', scalerMetadata };
}

/** Starts sqs-keda-way.ts. Resolves when it polls. */
export async function startSqsKedaWay(
  { url }: BenchSqs,
  { queues, scaledObjects }: { queues: number; scaledObjects: number },
): Promise<NodeProcess> {
  const child = new NodeProcess([kedaWay, url, String(queues), String(scaledObjects)]);
  await child.until((line) => line === 'polling');
  return child;
}

export function queueName(index: number): string {
  return `queue-${index}`;
}
