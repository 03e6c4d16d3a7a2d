import type { Manifest, Values } from '../chart/helm.ts';
import { freePort } from '../support/free-port.ts';
import { region } from '../support/sqs/region.ts';
import type { TestQueues } from '../support/sqs/test-queues.ts';
import type { Api } from './api.ts';
import { makeSecret } from './objects.ts';

const token = 'a-token-of-the-producers';
const nowhere = 'http://127.0.0.1:9';

/** Where its sources are; and what else its configuration says. */
interface Reads {
  readonly sqs?: string;
  readonly kafka?: readonly string[];
  readonly config?: Manifest;
}

interface KafkaSpec extends Readonly<Record<string, string>> {
  readonly consumerGroup: string;
  readonly topic: string;
  readonly lagThreshold: string;
}

/** Where a scaler of the chart listens on this machine, and what it reads. */
export class Scaler {
  readonly values: Values;
  readonly ports: { readonly grpc: number; readonly admin: number; readonly ingest: number };
  private readonly endpoint: string;

  /** Makes the Secrets of its namespace; it is installed with its `values`. */
  static async prepare(api: Api, namespace: string, reads: Reads): Promise<Scaler> {
    await makeSecret(api, namespace, 'aws', { id: 'reader', key: 'reader' });
    await makeSecret(api, namespace, 'hints', { token });
    const ports = { grpc: await freePort(), admin: await freePort(), ingest: await freePort() };
    return new Scaler(reads, ports);
  }

  private constructor({ sqs, kafka, config = {} }: Reads, ports: Scaler['ports']) {
    const endpoint = sqs ?? nowhere;
    this.endpoint = endpoint;
    this.ports = ports;
    const credentials = {
      accessKeyIdFile: '/etc/backlog-scaler-aws/id',
      secretAccessKeyFile: '/etc/backlog-scaler-aws/key',
    };
    const senders = [
      { name: 'producers', tokenFile: '/etc/backlog-scaler-hints/token', connections: ['jobs'] },
    ];
    const records = { source: 'kafka', bootstrapServers: kafka };
    this.values = {
      service: { port: ports.grpc },
      admin: { port: ports.admin },
      ingest: { port: ports.ingest, enabled: true },
      config: {
        ...config,
        ingest: { tokens: senders },
        connections: {
          jobs: { source: 'sqs', region, endpoint, credentials },
          ...(kafka && { records }),
        },
      },
      secretMounts: ['aws', 'hints'].map((name) => ({ name, secretName: name })),
    };
  }

  /** A trigger on a queue as a ScaledObject has it; its address needs no DNS. */
  trigger(queues: TestQueues, queue: string, { type = 'external-push', length = 5 } = {}) {
    const metadata = {
      scalerAddress: `127.0.0.1:${this.ports.grpc}`,
      source: 'sqs',
      connection: 'jobs',
      queueURL: this.endpoint + queues.path(queue),
      queueLength: String(length),
    };
    return { type, metadata };
  }

  /** A trigger on a consumer group; `spec` is what KEDA's own for Kafka takes too, and `port` where KEDA is to call. */
  kafkaTrigger(spec: KafkaSpec, port = this.ports.grpc) {
    const scalerAddress = `127.0.0.1:${port}`;
    const metadata = { scalerAddress, source: 'kafka', connection: 'records', ...spec };
    return { type: 'external-push', metadata };
  }

  /** Tells it, as a producer does, to look at a queue. */
  async hint(queue: string): Promise<void> {
    const url = `http://127.0.0.1:${this.ports.ingest}/ingest/hint/jobs/${queue}`;
    const { status } = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    if (status !== 202) throw new Error(`the hint was answered with ${status}`);
  }

  /** How many streams of this RPC KEDA has open; none while nobody answers. */
  async streams(rpc: 'StreamIsActive' | 'StreamMetricSpec'): Promise<number> {
    return (await this.metric(`backlog_scaler_streams{rpc="${rpc}"}`)) ?? 0;
  }

  /** Whether it holds a ScaledObject's trigger to be active; undefined while it does not know. */
  async isActive(scaledObject: string): Promise<boolean | undefined> {
    const value = await this.metric(`backlog_scaler_trigger_active{.*scaledobject="${scaledObject}".*}`);
    return value === undefined ? undefined : value === 1;
  }

  /** How many nudges it has counted, of any outcome. */
  async nudges(): Promise<number> {
    return (await this.all('backlog_scaler_nudges_total{.*}')).reduce((sum, value) => sum + value, 0);
  }

  private async metric(pattern: string): Promise<number | undefined> {
    const [value] = await this.all(pattern);
    return value;
  }

  private async all(pattern: string): Promise<number[]> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/metrics`).catch(() => undefined);
    const text = (await answer?.text()) ?? '';
    return [...text.matchAll(new RegExp(`^${pattern} (\\d+)$`, 'gm'))].map(([, value]) => Number(value));
  }
}
