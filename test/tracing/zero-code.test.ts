import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import { RunningImage } from '../container/running-image.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { receiveOtlp } from '../support/otlp-receiver.ts';
import { ref, TestClient } from '../support/rpc-client.ts';
import { useTools } from '../support/tools/use-tool.ts';
import { autoInstrumentations, autoInstrumentationsVersion } from './auto-instrumentations.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(new URL('../../docs/tracing.md', import.meta.url), 'utf8');
const tools = useTools('auto-instrumentations', 'built-command');

/** The names and values of the page's environment. */
function environmentOfThePage(): Record<string, string> {
  const lines = page.matchAll(/^((?:OTEL|NODE)_\w+)="?([^"\n]*)"?$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
}

/** The page's environment, but everything is sent to the receiver at once. */
function environment(endpoint: string): Record<string, string> {
  const { NODE_OPTIONS: options = '', ...rest } = environmentOfThePage();
  return {
    ...rest,
    NODE_OPTIONS: options.replace(/file:\S+/, tools('auto-instrumentations')),
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
}

it('sends the spans of the built command to a collector, set up as the page says', async () => {
  const receiver = await receiveOtlp();
  const folder = await ConfigFolder.make();
  onTestFinished(() => folder.remove());
  const address = { host: '127.0.0.1', port: 0 };
  const connections = { orders: { source: 'kafka', bootstrapServers: ['127.0.0.1:1'] } };
  await folder.write('config.yaml', stringify({ grpc: address, admin: address, connections }));
  const running = new RunningImage({
    command: [process.execPath, tools('built-command'), 'serve', '--config', folder.file],
    cwd: repository,
    env: environment(receiver.endpoint),
  });
  onTestFinished(async () => {
    running.signal('SIGKILL');
    await running.exited;
  });
  const within = { timeout: 60_000, interval: 100 };
  const port = await vi.waitFor(() => running.port('grpc'), within);
  const client = new TestClient(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const metadata = { source: 'kafka', connection: 'orders', consumerGroup: 'billing', topic: 'orders' };
  await client.getMetricSpec(ref('worker', metadata));

  const expected = {
    scope: 'backlog-scaler',
    name: 'externalscaler.ExternalScaler/GetMetricSpec',
    attributes: {
      'rpc.system': { stringValue: 'grpc' },
      'backlog_scaler.scaledobject.name': { stringValue: 'worker' },
      'rpc.grpc.status_code': { intValue: 0 },
    },
  };
  await vi.waitFor(
    () => expect(receiver.spans, running.output).toContainEqual(expect.objectContaining(partly(expected))),
    within,
  );
});

function partly({ attributes, ...rest }: { scope: string; name: string; attributes: object }): object {
  return { ...rest, attributes: expect.objectContaining(attributes) };
}

it('is the version that the page installs, and its way to the file', () => {
  expect(page).toContain(`${autoInstrumentations}@${autoInstrumentationsVersion}`);
  const register = tools('auto-instrumentations');
  const inHome = register.slice(register.indexOf('/node_modules/'));
  expect(environmentOfThePage()['NODE_OPTIONS']).toContain(`file:///otel${inHome}`);
});
