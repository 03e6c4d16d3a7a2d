import type { Values } from '../chart/helm.ts';
import { freePort } from '../support/free-port.ts';
import { region } from '../support/sqs/region.ts';
import type { TestQueues } from '../support/sqs/test-queues.ts';
import type { Api } from './api.ts';
import { makeSecret } from './objects.ts';

const token = 'a-token-of-the-producers';

/** Where a scaler of the chart listens on this machine, and what it reads. */
export class Scaler {
  readonly values: Values;
  private readonly ports: { readonly grpc: number; readonly admin: number; readonly ingest: number };
  private readonly endpoint: string;

  /** Makes the Secrets of its namespace; it is installed with its `values`. */
  static async prepare(api: Api, namespace: string, endpoint: string): Promise<Scaler> {
    await makeSecret(api, namespace, 'aws', { id: 'reader', key: 'reader' });
    await makeSecret(api, namespace, 'hints', { token });
    return new Scaler(endpoint, {
      grpc: await freePort(),
      admin: await freePort(),
      ingest: await freePort(),
    });
  }

  private constructor(endpoint: string, ports: Scaler['ports']) {
    this.endpoint = endpoint;
    this.ports = ports;
    const credentials = {
      accessKeyIdFile: '/etc/backlog-scaler-aws/id',
      secretAccessKeyFile: '/etc/backlog-scaler-aws/key',
    };
    const senders = [
      { name: 'producers', tokenFile: '/etc/backlog-scaler-hints/token', connections: ['jobs'] },
    ];
    this.values = {
      service: { port: ports.grpc },
      admin: { port: ports.admin },
      ingest: { port: ports.ingest, enabled: true },
      config: {
        ingest: { tokens: senders },
        connections: { jobs: { source: 'sqs', region, endpoint, credentials } },
      },
      secretMounts: ['aws', 'hints'].map((name) => ({ name, secretName: name })),
    };
  }

  /** A trigger as a ScaledObject has it; its address needs no DNS. */
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

  /** Tells it, as a producer does, to look at a queue. */
  async hint(queue: string): Promise<void> {
    const url = `http://127.0.0.1:${this.ports.ingest}/ingest/hint/jobs/${queue}`;
    const { status } = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    if (status !== 202) throw new Error(`the hint was answered with ${status}`);
  }

  /** How many streams of this RPC KEDA has open; none while nobody answers. */
  async streams(rpc: 'StreamIsActive' | 'StreamMetricSpec'): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/metrics`).catch(() => undefined);
    const [, count] =
      new RegExp(`^backlog_scaler_streams{rpc="${rpc}"} (\\d+)`, 'm').exec((await answer?.text()) ?? '') ??
      [];
    return Number(count ?? 0);
  }
}
