import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { Scaler, type ScalerOptions } from '../../src/scaler.ts';
import { sources as allSources } from '../../src/sources/index.ts';
import { addProcessMetrics } from '../../src/telemetry/metrics.ts';
import { recordingLog } from './recording-log.ts';
import { TestClient } from './rpc-client.ts';

/** The product as `serve` wires it, from a configuration file, on free ports, and its client. */
export class WholeScaler {
  readonly client: TestClient;
  readonly log: ReturnType<typeof recordingLog>;
  private readonly scaler: Scaler;
  private readonly directory: string;

  /** `settings` is the configuration without its servers. `files` lie beside it. */
  static async start(
    settings: object,
    files: Readonly<Record<string, string>> = {},
    { sources = allSources, ...more }: Partial<Pick<ScalerOptions, 'sns' | 'sources'>> = {},
  ): Promise<WholeScaler> {
    const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-'));
    const file = join(directory, configFile);
    await write(directory, settings, files);
    const load = () => loadConfig(file, { environment: {}, sources });
    const loaded = await load();
    if (loaded.kind === 'refused') throw new Error(loaded.faults.map(({ message }) => message).join('\n'));
    const log = recordingLog();
    const scaler = new Scaler({ sources, loaded, load, log, ...more });
    addProcessMetrics(scaler.metrics.registry);
    await scaler.start();
    return new WholeScaler(scaler, log, directory);
  }

  private constructor(scaler: Scaler, log: ReturnType<typeof recordingLog>, directory: string) {
    this.scaler = scaler;
    this.log = log;
    this.directory = directory;
    this.client = new TestClient(`127.0.0.1:${this.port('grpc')}`, credentials.createInsecure());
  }

  /** The port of one of its servers. */
  port(server: 'grpc' | 'admin' | 'ingest'): number {
    const line = this.log.lines.find(({ fields }) => 'server' in fields && fields.server === server);
    if (line === undefined || !('port' in line.fields)) throw new Error(`${server} does not listen`);
    return Number(line.fields.port);
  }

  /** Another configuration, or other files beside it. What is not given stays. */
  async reload(settings: object, files: Readonly<Record<string, string>> = {}): Promise<void> {
    await write(this.directory, settings, files);
    await this.scaler.reload();
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.scaler.stop('the test is over');
    await rm(this.directory, { recursive: true, force: true });
  }
}

const configFile = 'config.yaml';
const server = { host: '127.0.0.1', port: 0 };

async function write(
  directory: string,
  settings: object,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await writeFile(join(directory, configFile), stringify({ grpc: server, admin: server, ...settings }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
}
