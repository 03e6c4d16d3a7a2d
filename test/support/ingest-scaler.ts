import { credentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { type Loaded, loadConfig } from '../../src/config/load.ts';
import { Scaler } from '../../src/scaler.ts';
import { cloudEventsSource } from './cloudevents-source.ts';
import { ConfigFolder } from './config-folder.ts';
import { ingestSource } from './ingest-source.ts';
import { queueSource } from './queue-source.ts';
import { recordingLog } from './recording-log.ts';
import { TestClient } from './rpc-client.ts';

const address = { host: '127.0.0.1', port: 0 };
const sources = [ingestSource, cloudEventsSource, queueSource];

/** The product as `serve` wires it, with a free ingest port, and with sources for webhooks, CloudEvents and hints. */
export class IngestScaler {
  readonly folder: ConfigFolder;
  readonly log = recordingLog();
  readonly scaler: Scaler;

  static async start(connections: object, more: object = {}, files: Readonly<Record<string, string>> = {}) {
    const folder = await ConfigFolder.make();
    onTestFinished(() => folder.remove());
    for (const [name, content] of Object.entries(files)) await folder.write(name, content);
    await IngestScaler.write(folder, connections, more);
    const load = () => loadConfig(folder.file, { environment: {}, sources });
    const loaded = await load();
    if (loaded.kind === 'refused') throw new Error(loaded.faults.map(({ message }) => message).join('\n'));
    const running = new IngestScaler(folder, loaded, load);
    onTestFinished(() => running.scaler.stop('the test is over'));
    await running.scaler.start();
    return running;
  }

  private static write(folder: ConfigFolder, connections: object, more: object): Promise<void> {
    const servers = { grpc: address, admin: address, ingest: address };
    return folder.write('config.yaml', stringify({ ...servers, connections, ...more }));
  }

  private constructor(folder: ConfigFolder, loaded: Loaded, load: () => ReturnType<typeof loadConfig>) {
    this.folder = folder;
    this.scaler = new Scaler({ sources, loaded, load, log: this.log });
  }

  /** The port of a server. Undefined while it does not listen. */
  port(server: 'grpc' | 'ingest'): number | undefined {
    const line = this.log.lines.find(({ fields }) => 'server' in fields && fields.server === server);
    return line !== undefined && 'port' in line.fields ? Number(line.fields.port) : undefined;
  }

  /** Throws while the ingest port is not open. */
  get ingestPort(): number {
    const port = this.port('ingest');
    if (port === undefined) throw new Error('ingest does not listen');
    return port;
  }

  client(): TestClient {
    const client = new TestClient(`127.0.0.1:${this.port('grpc')}`, credentials.createInsecure());
    onTestFinished(() => client.close());
    return client;
  }

  async reload(connections: object, more: object = {}): Promise<void> {
    await IngestScaler.write(this.folder, connections, more);
    await this.scaler.reload();
  }
}
