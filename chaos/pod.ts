import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeProcess } from '../bench/support/child-process.ts';
import { ScalerProcess } from '../bench/support/scaler.ts';
import { holdPorts } from '../fakes/ports.ts';

const host = '127.0.0.1';

export interface PodOptions {
  /** The command, built or as it is written. */
  readonly program: string;
  readonly name: string;
  readonly directory: string;
  readonly preload?: readonly string[];
  /** Hears that it has ended without being told to. */
  readonly onEnd: (how: string) => void;
}

/** One scaler process whose ports and files outlive it. */
export class Pod {
  readonly name: string;
  readonly directory: string;
  readonly grpcPort: number;
  readonly ingestPort: number;
  readonly adminPort: number;
  private readonly options: PodOptions;
  private scaler: ScalerProcess | undefined;
  /** Whether it is to run. */
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

  get running(): ScalerProcess | undefined {
    return this.scaler;
  }

  /** Of the scaler that runs. */
  get process(): NodeProcess {
    if (this.scaler === undefined) throw new Error(`${this.name} does not run`);
    return this.scaler.process;
  }

  /** Requests to its ingest port, by outcome. */
  async ingested(): Promise<ReadonlyMap<string, number>> {
    return (await this.scaler?.webhooks()) ?? new Map();
  }

  /** Where its log is. */
  get log(): string {
    return join(this.directory, 'log');
  }

  /** Resolves when it has said that it is ready. */
  async start(): Promise<void> {
    const { program, preload = [], onEnd } = this.options;
    const { log } = this;
    this.wanted = true;
    const scaler = await ScalerProcess.start(this.file, { program, probed: true, preload, log });
    this.scaler = scaler;
    void scaler.process.ended.then((how) => {
      if (this.scaler === scaler) this.scaler = undefined;
      if (this.wanted) onEnd(`it has ended with ${how}; its log is ${log}`);
    });
  }

  /** Writes its configuration; one that runs reads it when it is told to `reload`. Hosts and ports are ours. */
  async configure(settings: object): Promise<void> {
    const { grpc = {}, ingest = {}, ...rest } = { grpc: {}, ingest: {}, ...settings };
    const config = {
      ...rest,
      grpc: { host, port: this.grpcPort, ...grpc },
      ingest: { host, port: this.ingestPort, ...ingest },
      admin: { host, port: this.adminPort },
    };
    // JSON is YAML.
    await writeFile(this.file, JSON.stringify(config));
  }

  reload(): void {
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

  private get file(): string {
    return join(this.directory, 'config.yaml');
  }
}
