import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { Scaler } from '../../src/scaler.ts';
import { sources } from '../../src/sources/index.ts';
import { recordingLog } from './recording-log.ts';
import { TestClient } from './rpc-client.ts';

/** The product as `serve` wires it, from a configuration file, on free ports; and a client of it. */
export class WholeScaler {
  readonly client: TestClient;
  readonly log: ReturnType<typeof recordingLog>;
  private readonly scaler: Scaler;
  private readonly directory: string;

  /** `settings` is the configuration but for its servers; `files` lie beside it. */
  static async start(settings: object, files: Readonly<Record<string, string>> = {}): Promise<WholeScaler> {
    const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-'));
    const file = join(directory, 'config.yaml');
    const server = { host: '127.0.0.1', port: 0 };
    await writeFile(file, stringify({ grpc: server, admin: server, ...settings }));
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
    const load = () => loadConfig(file, { environment: {}, sources });
    const loaded = await load();
    if (loaded.kind === 'refused') throw new Error(loaded.faults.join('\n'));
    const { config, stamps } = loaded;
    const log = recordingLog();
    const scaler = new Scaler({ sources, config, stamps, load, log });
    await scaler.start();
    return new WholeScaler(scaler, log, directory);
  }

  private constructor(scaler: Scaler, log: ReturnType<typeof recordingLog>, directory: string) {
    this.scaler = scaler;
    this.log = log;
    this.directory = directory;
    const listening = log.lines.find(({ fields }) => 'server' in fields && fields.server === 'grpc');
    if (listening === undefined || !('port' in listening.fields)) throw new Error('gRPC does not listen');
    const address = `127.0.0.1:${listening.fields.port}`;
    this.client = new TestClient(address, credentials.createInsecure());
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.scaler.stop('the test is over');
    await rm(this.directory, { recursive: true, force: true });
  }
}
