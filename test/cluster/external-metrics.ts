import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { Pair } from '../support/certificates.ts';

const group = '/apis/external.metrics.k8s.io/v1beta1';

/** Stands in for KEDA's metrics adapter. It gives the HPA the values that a test sets, and notes the requests. */
export class ExternalMetrics {
  readonly port: number;
  private readonly server: Server;
  private readonly metrics: Map<string, Metric>;

  private constructor(own: { port: number; server: Server; metrics: Map<string, Metric> }) {
    this.port = own.port;
    this.server = own.server;
    this.metrics = own.metrics;
  }

  /** On 127.0.0.1, with the pair's certificate. */
  static async start({ cert, key }: Pair): Promise<ExternalMetrics> {
    const metrics = new Map<string, Metric>();
    const tls = { cert: await readFile(cert), key: await readFile(key) };
    const server = createServer(tls, ({ url = '' }, response) => {
      const { status, body } = answer(url, metrics);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens on no port');
    return new ExternalMetrics({ port: address.port, server, metrics });
  }

  /** From now on the metric has this value. If undefined, requests for it get an error. */
  say(name: string, value: number | undefined): void {
    this.metrics.set(name, { value, askedAtMs: [] });
  }

  /** When the metric was requested since it was last set, on the clock of `performance.now`. */
  askedAtMs(name: string): readonly number[] {
    return this.metrics.get(name)?.askedAtMs ?? [];
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

interface Metric {
  readonly value: number | undefined;
  readonly askedAtMs: number[];
}

function answer(url: string, metrics: Map<string, Metric>): { status: number; body: object } {
  const { pathname } = new URL(url, 'https://localhost');
  if (pathname === group) {
    const resources = { groupVersion: group.slice('/apis/'.length), resources: [] };
    return { status: 200, body: { kind: 'APIResourceList', apiVersion: 'v1', ...resources } };
  }
  const [, name = ''] = /\/namespaces\/[^/]+\/([^/]+)$/.exec(pathname) ?? [];
  const metric = metrics.get(name);
  metric?.askedAtMs.push(performance.now());
  if (metric?.value === undefined) return { status: 500, body: failure };
  const item = { metricName: name, metricLabels: null, timestamp: new Date().toISOString() };
  // As KEDA prints it, without zeros at the end.
  const value = String(Number(metric.value.toFixed(3)));
  const list = { kind: 'ExternalMetricValueList', apiVersion: 'external.metrics.k8s.io/v1beta1' };
  return { status: 200, body: { ...list, metadata: {}, items: [{ ...item, value }] } };
}

const failure = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'not now', code: 500 };
