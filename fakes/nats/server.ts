import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScalerError } from '../../src/errors.ts';

const startLimitMs = 60_000;
const stopLimitMs = 10_000;
const keptCharacters = 4_000;

export interface ServerOptions {
  readonly program: string;
  readonly node: {
    readonly name: string;
    readonly client: number;
    readonly routes: number;
    readonly monitoring: number;
  };
  /** Of all nodes of a cluster. Empty for a single server. */
  readonly routes: readonly string[];
  readonly directory: string;
  readonly config?: string;
  readonly domain?: string;
}

/** One nats-server as a child process. */
export class NatsServer {
  private readonly options: ServerOptions;
  private child: ChildProcess | undefined;
  private printed = '';
  private lines: string;

  constructor(options: ServerOptions) {
    this.options = options;
    this.lines = options.config ?? '';
  }

  get name(): string {
    return this.options.node.name;
  }

  /** The address for clients. */
  get url(): string {
    return `nats://127.0.0.1:${this.options.node.client}`;
  }

  /** The address of its monitoring, `http://127.0.0.1:…`. */
  get monitoring(): string {
    return `http://127.0.0.1:${this.options.node.monitoring}`;
  }

  /** The running process. Undefined while stopped. */
  get pid(): number | undefined {
    return this.running ? this.child?.pid : undefined;
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** `config` replaces the lines of the options from now on. */
  async spawn(config = this.lines): Promise<void> {
    const { program, directory } = this.options;
    this.lines = config;
    const file = join(directory, 'nats.conf');
    await mkdir(directory, { recursive: true });
    await writeFile(file, this.config());
    const child = spawn(program, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.printed = `${this.printed}${text}`.slice(-keptCharacters);
    });
    child.once('error', () => {});
    child.unref();
    this.child = child;
  }

  /** Resolves when JetStream answers. In a cluster, when it has a leader. */
  async healthy(): Promise<void> {
    const deadline = performance.now() + startLimitMs;
    while (!(await this.answers())) {
      if (!this.running) throw this.fault('ended while starting');
      if (performance.now() > deadline) throw this.fault(`was not up after ${startLimitMs / 1000} s`);
      await sleep(20);
    }
  }

  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    const { pid } = this;
    if (pid !== undefined) process.kill(pid, name);
  }

  /** Sends SIGTERM, and after 10 s SIGKILL. A paused server is continued first. */
  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.end('SIGTERM');
  }

  /** Ends the process at once, and resolves when it is gone. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.running || this.child === undefined) return;
    const gone = once(this.child, 'exit');
    this.child.ref();
    this.signal(signal);
    const force = setTimeout(() => this.signal('SIGKILL'), stopLimitMs);
    await gone;
    clearTimeout(force);
  }

  private config(): string {
    const { node, routes, directory, domain } = this.options;
    return `server_name: ${node.name}
listen: "127.0.0.1:${node.client}"
http: "127.0.0.1:${node.monitoring}"
jetstream { store_dir: ${JSON.stringify(join(directory, 'jetstream'))}${domain === undefined ? '' : `, domain: ${domain}`} }
${routes.length === 0 ? '' : `cluster { name: test, listen: "127.0.0.1:${node.routes}", routes: ${JSON.stringify(routes)} }`}
${this.lines}
`;
  }

  private async answers(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.monitoring}/healthz`);
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }

  private fault(what: string): ScalerError {
    return new ScalerError('unavailable', `nats-server ${this.name} ${what}; it printed:\n${this.printed}`);
  }
}
