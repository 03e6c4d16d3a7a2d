import type { Manifest, Values } from '../chart/helm.ts';
import { freePort } from '../support/free-port.ts';
import { region } from '../support/sqs/region.ts';
import type { TestQueues } from '../support/sqs/test-queues.ts';
import type { Api } from './api.ts';
import { makeSecret } from './objects.ts';

const token = 'a-token-of-the-producers';
const nowhere = 'http://127.0.0.1:9';
/** How long a new event log has no number of work items, because older ones may exist. */
const itemSeconds = 150;
const queuedType = 'com.example.render.requested';
const workItems = [{ backlog: 'renders', type: queuedType, state: 'queued', key: 'subject' }];

/** The addresses of its sources, and the rest of its configuration. */
interface Reads {
  readonly sqs?: string;
  readonly kafka?: readonly string[];
  /** Whether it has a connection `items` with work items from CloudEvents. */
  readonly items?: boolean;
  /** The host by which KEDA finds it. Default 127.0.0.1. */
  readonly host?: string;
  readonly config?: Manifest;
}

interface KafkaSpec extends Readonly<Record<string, string>> {
  readonly consumerGroup: string;
  readonly topic: string;
  readonly lagThreshold: string;
}

/** The ports of a chart's scaler on this machine, and its sources. */
export class Scaler {
  readonly values: Values;
  readonly ports: { readonly grpc: number; readonly admin: number; readonly ingest: number };
  private readonly endpoint: string;
  private readonly host: string;

  /** Creates the Secrets of its namespace. It is installed with its `values`. */
  static async prepare(api: Api, namespace: string, reads: Reads): Promise<Scaler> {
    await makeSecret(api, namespace, 'aws', { id: 'reader', key: 'reader' });
    await makeSecret(api, namespace, 'hints', { token });
    const ports = { grpc: await freePort(), admin: await freePort(), ingest: await freePort() };
    return new Scaler(reads, ports);
  }

  private constructor(
    { sqs, kafka, items = false, host = '127.0.0.1', config = {} }: Reads,
    ports: Scaler['ports'],
  ) {
    const endpoint = sqs ?? nowhere;
    this.endpoint = endpoint;
    this.host = host;
    this.ports = ports;
    const credentials = {
      accessKeyIdFile: '/etc/backlog-scaler-aws/id',
      secretAccessKeyFile: '/etc/backlog-scaler-aws/key',
    };
    const senders = [
      {
        name: 'producers',
        tokenFile: '/etc/backlog-scaler-hints/token',
        connections: ['jobs', ...(items ? ['items'] : [])],
      },
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
          ...(items && { items: { source: 'events', ttlSeconds: itemSeconds, items: workItems } }),
        },
      },
      secretMounts: ['aws', 'hints'].map((name) => ({ name, secretName: name })),
    };
  }

  /** A trigger for a queue, as in a ScaledObject. Its address needs no DNS. */
  trigger(queues: TestQueues, queue: string, { type = 'external-push', length = 5 } = {}) {
    const metadata = {
      scalerAddress: `${this.host}:${this.ports.grpc}`,
      source: 'sqs',
      connection: 'jobs',
      queueURL: this.endpoint + queues.path(queue),
      queueLength: String(length),
    };
    return { type, metadata };
  }

  /** A trigger for a consumer group. `spec` has keys that KEDA's own Kafka scaler takes too. `port` is where KEDA calls. */
  kafkaTrigger(spec: KafkaSpec, port = this.ports.grpc) {
    const scalerAddress = `127.0.0.1:${port}`;
    const metadata = { scalerAddress, source: 'kafka', connection: 'records', ...spec };
    return { type: 'external-push', metadata };
  }

  /** A trigger for the work items of a backlog, one for each replica. */
  itemsTrigger(backlog: string) {
    const scalerAddress = `${this.host}:${this.ports.grpc}`;
    const metadata = { scalerAddress, source: 'events', connection: 'items', backlog, targetItems: '1' };
    return { type: 'external-push', metadata };
  }

  /** Sends a hint about a queue, as a producer does, to the pod at `address`. */
  hint(queue: string, address?: string): Promise<void> {
    return this.post(`hint/jobs/${queue}`, {}, address);
  }

  /** Sends a waiting work item. */
  queued(id: string, address?: string): Promise<void> {
    const event = { 'ce-specversion': '1.0', 'ce-source': '/test', 'ce-type': queuedType };
    return this.post('events/items', { ...event, 'ce-id': id, 'ce-subject': id }, address);
  }

  private async post(path: string, headers: Record<string, string>, address = '127.0.0.1'): Promise<void> {
    const url = `http://${address}:${this.ports.ingest}/ingest/${path}`;
    const authorization = `Bearer ${token}`;
    const { status } = await fetch(url, { method: 'POST', headers: { authorization, ...headers } });
    if (status !== 202) throw new Error(`${path} was answered with ${status}`);
  }

  /** How many streams of this RPC KEDA has open. 0 while nobody answers. */
  async streams(rpc: 'StreamIsActive' | 'StreamMetricSpec', address?: string): Promise<number> {
    return (await this.metric(`backlog_scaler_streams{rpc="${rpc}"}`, address)) ?? 0;
  }

  /** Whether it considers a ScaledObject's trigger active. Undefined while unknown. */
  async isActive(scaledObject: string): Promise<boolean | undefined> {
    const value = await this.metric(`backlog_scaler_trigger_active{.*scaledobject="${scaledObject}".*}`);
    return value === undefined ? undefined : value === 1;
  }

  /** The number that KEDA gets from a pod for a ScaledObject's trigger. Undefined without one. */
  numberOf(scaledObject: string, address?: string): Promise<number | undefined> {
    return this.metric(`backlog_scaler_trigger_value{.*scaledobject="${scaledObject}".*}`, address);
  }

  /** How many nudges it has counted, of any outcome. */
  async nudges(): Promise<number> {
    return (await this.all('backlog_scaler_nudges_total{.*}')).reduce((sum, value) => sum + value, 0);
  }

  private async metric(pattern: string, address?: string): Promise<number | undefined> {
    const [value] = await this.all(pattern, address);
    return value;
  }

  private async all(pattern: string, address = '127.0.0.1'): Promise<number[]> {
    const answer = await fetch(`http://${address}:${this.ports.admin}/metrics`).catch(() => undefined);
    const text = (await answer?.text()) ?? '';
    return [...text.matchAll(new RegExp(`^${pattern} (\\d+)$`, 'gm'))].map(([, value]) => Number(value));
  }
}
