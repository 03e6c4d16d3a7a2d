import { startFauxqs } from 'fauxqs';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { readChartValues } from './chart-values.ts';
import { agedEventDir } from './event-store.ts';
import type { ExampleRequest } from './hint-examples.ts';
import { type Posted, post } from './ingest.ts';
import { ref } from './rpc-client.ts';
import type { FakeSns } from './sns.ts';
import { region } from './sqs/region.ts';
import { TestQueues } from './sqs/test-queues.ts';
import { WholeScaler } from './whole-scaler.ts';

const configuration = z.looseObject({
  ingest: z.looseObject({
    tokens: z.array(z.looseObject({ name: z.string(), tokenFile: z.string() })),
  }),
  connections: z.object({ jobs: z.looseObject({}), builds: z.looseObject({}) }),
});

/** Only hints cause reads: by the clock, none comes during a test. */
const onHintsOnly = { idleReadSeconds: 7200, activeReadSeconds: 7200 };

/** The scaler that deploy/examples/hints/values.yaml installs, with SQS in this process. */
export class HintExamplesScaler {
  readonly queues: TestQueues;
  readonly scaler: WholeScaler;

  static async start(sns?: FakeSns): Promise<HintExamplesScaler> {
    const server = await startFauxqs({ port: 0, logger: false, defaultRegion: region });
    onTestFinished(() => server.stop());
    const queues = new TestQueues(server.address);
    onTestFinished(() => queues.close());
    const { settings, files } = runnable(server.address, await agedEventDir('builds'));
    const scaler = await WholeScaler.start(settings, files, sns === undefined ? {} : { sns });
    onTestFinished(() => scaler.stop());
    return new HintExamplesScaler(queues, scaler);
  }

  private constructor(queues: TestQueues, scaler: WholeScaler) {
    this.queues = queues;
    this.scaler = scaler;
  }

  /** The stream of a trigger for the queue. */
  streamOf(queue: string) {
    const metadata = { source: 'sqs', connection: 'jobs', queueURL: queue, maxStalenessSeconds: '86400' };
    return this.scaler.client.streamIsActive(ref(`${queue}-workers`, metadata));
  }

  /** The number that KEDA gets for a backlog of work items. */
  async items(backlog: string): Promise<number | undefined> {
    const scalerMetadata = { source: 'events', connection: 'builds', backlog };
    const trigger = { namespace: 'ci', name: backlog, scalerMetadata };
    const { metricValues } = await this.scaler.client.getMetrics(trigger, '');
    return metricValues[0]?.metricValueFloat;
  }

  /** Sends the request unchanged, except for the host. */
  send({ method, url, headers, body }: ExampleRequest): Promise<Posted> {
    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    const path = url.pathname + url.search;
    return post(this.port, { path, method, headers: Object.fromEntries(lower), body });
  }

  get port(): number {
    return this.scaler.port('ingest');
  }

  /** How often queues were woken, by cause. */
  async wakes(): Promise<Record<string, number>> {
    const exposition = await fetch(`http://127.0.0.1:${this.scaler.port('admin')}/metrics`);
    const series = /^backlog_scaler_wakes_total\{source="sqs",connection="jobs",cause="(\w+)"\} (\d+)$/gm;
    const found = (await exposition.text()).matchAll(series);
    return Object.fromEntries([...found].map(([, cause = '', count]) => [cause, Number(count)]));
  }
}

/** The content of the Secret for a token in values.yaml. */
export function tokenOf(name: string): string {
  return `${name}-0123456789abcdef`;
}

function runnable(endpoint: string, dir: string) {
  const values = readChartValues('deploy/examples/hints/values.yaml');
  const { ingest, connections } = configuration.parse(values.config);
  const credentials = { accessKeyId: 'scaler', secretAccessKey: 'scaler' };
  const tokens = ingest.tokens.map((token) => ({ ...token, tokenFile: `${token.name}.token` }));
  const settings = {
    ingest: { ...ingest, host: '127.0.0.1', port: 0, tokens },
    eventLog: { type: 'file', dir },
    connections: {
      ...connections,
      jobs: { ...connections.jobs, endpoint, credentials, ...onHintsOnly },
    },
  };
  const files = Object.fromEntries(tokens.map(({ name, tokenFile }) => [tokenFile, `${tokenOf(name)}\n`]));
  return { settings, files };
}
