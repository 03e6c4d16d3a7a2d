import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeProcess } from '../bench/support/child-process.ts';
import { ScalerProcess } from '../bench/support/scaler.ts';
import { holdPorts } from '../fakes/ports.ts';

const host = '127.0.0.1';

export interface PodOptions {
  /** The command, built or as source. */
  readonly program: string;
  readonly name: string;
  readonly directory: string;
  readonly preload?: readonly string[];
  /** Called when it ends on its own. */
  readonly onEnd: (how: string) => void;
}

/** A configuration without hosts and ports. */
type Settings = Readonly<Record<string, object>>;

/** One scaler process. Its ports and files outlive it. */
export class Pod {
  readonly name: string;
  readonly directory: string;
  readonly grpcPort: number;
  readonly ingestPort: number;
  readonly adminPort: number;
  private readonly options: PodOptions;
  private settings: Settings = {};
  private scaler: ScalerProcess | undefined;
  /** Whether it should run. */
  private wanted = false;

  static async prepare(options: PodOptions): Promise<Pod> {
    const directory = join(options.directory, options.name);
    await mkdir(directory, { recursive: true });
    const ports = await holdPorts(3);
    await ports.release();
    return new Pod(options, directory, ports.numbers);
  }

  private constructor(options: PodOptions, directory: string, ports: readonly number[]) {
    const [grpcPort = 0, ingestPort = 0, adminPort = 0] = ports;
    this.options = options;
    this.name = options.name;
    this.directory = directory;
    this.grpcPort = grpcPort;
    this.ingestPort = ingestPort;
    this.adminPort = adminPort;
  }

  get running(): boolean {
    return this.scaler !== undefined;
  }

  get pid(): number | undefined {
    return this.scaler?.process.pid;
  }

  /** The process of the running scaler. */
  get process(): NodeProcess {
    return this.there.process;
  }

  /** Its metrics. */
  exposition(): Promise<string> {
    return this.there.exposition();
  }

  /** Requests to its ingest port, by outcome. */
  ingested(): Promise<ReadonlyMap<string, number>> {
    return this.there.webhooks();
  }

  /** The path of its log. */
  get log(): string {
    return join(this.directory, 'log');
  }

  /** Resolves when the process is ready. `preload` replaces that of the scene. */
  async start({ preload = this.options.preload ?? [] } = {}): Promise<void> {
    const { program, onEnd } = this.options;
    const { log } = this;
    this.wanted = true;
    const scaler = await ScalerProcess.start(this.file, { program, probed: true, preload, log });
    this.scaler = scaler;
    void scaler.process.ended.then((how) => {
      if (this.scaler === scaler) this.scaler = undefined;
      if (this.wanted) onEnd(`it has ended with ${how}; its log is ${log}`);
    });
  }

  /** Writes its configuration, which a process reads at its start. */
  async configure(settings: Settings): Promise<void> {
    this.settings = settings;
    const { grpc = {}, ingest = {}, ...rest } = settings;
    const config = {
      ...rest,
      grpc: { host, port: this.grpcPort, ...grpc },
      ingest: { host, port: this.ingestPort, ...ingest },
      admin: { host, port: this.adminPort },
    };
    // JSON is YAML.
    await writeFile(this.file, JSON.stringify(config));
  }

  /** Makes the process reload, with these settings changed. Those of a connection apply to that connection only. */
  async reload({ connections = {}, ...changed }: Settings): Promise<void> {
    const merged: Record<string, object> = { ...this.settings['connections'] };
    for (const [name, settings] of Object.entries(connections))
      merged[name] = { ...merged[name], ...settings };
    await this.configure({ ...this.settings, ...changed, connections: merged });
    this.signal('SIGHUP');
  }

  signal(name: NodeJS.Signals): void {
    if (this.scaler !== undefined) process.kill(this.scaler.process.pid, name);
  }

  async kill(): Promise<void> {
    this.wanted = false;
    await this.scaler?.process.kill();
  }

  async stop(): Promise<void> {
    this.wanted = false;
    await this.scaler?.stop();
  }

  private get there(): ScalerProcess {
    if (this.scaler === undefined) throw new Error(`${this.name} does not run`);
    return this.scaler;
  }

  private get file(): string {
    return join(this.directory, 'config.yaml');
  }
}
