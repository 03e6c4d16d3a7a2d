import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScalerError } from '../../src/errors.ts';
import { holdPorts } from '../ports.ts';
import { Watchdog } from '../watchdog.ts';
import { NatsServer } from './server.ts';

export interface NatsOptions {
  /** The path of nats-server. */
  readonly program: string;
  /** Three form a cluster, whose streams can have three replicas. Default 1. */
  readonly nodes?: 1 | 3;
  /** More lines for each server's configuration: `tls { … }`, `authorization { … }`, `accounts { … }`. */
  readonly config?: string;
  /** The JetStream domain. */
  readonly domain?: string;
}

/** Ports of a node: for clients, for the cluster, for monitoring. */
const portsPerNode = 3;

/**
 * Starts real NATS servers with JetStream on 127.0.0.1, and resolves when JetStream answers. Throws ScalerError
 * `unavailable` with the server's output if one does not start.
 */
export async function startNats(options: NatsOptions): Promise<NatsCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-nats-'));
  const ports = await holdPorts((options.nodes ?? 1) * portsPerNode);
  await ports.release();
  const cluster = new NatsCluster(directory, ports.numbers, options);
  try {
    await cluster.start();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

/** One or three running servers. `stop()` leaves no process and no file behind. */
export class NatsCluster {
  readonly servers: readonly NatsServer[];
  private readonly directory: string;
  private readonly watchdog: Watchdog;
  private readonly killAtExit = () => {
    for (const server of this.servers) server.signal('SIGKILL');
  };

  constructor(directory: string, ports: readonly number[], options: NatsOptions) {
    const nodes = Array.from({ length: options.nodes ?? 1 }, (_, index) => {
      const [client = 0, routes = 0, monitoring = 0] = ports.slice(index * portsPerNode);
      return { name: `n${index + 1}`, client, routes, monitoring };
    });
    this.directory = directory;
    this.servers = nodes.map((node) => {
      const routes = nodes.length > 1 ? nodes.map((each) => `nats://127.0.0.1:${each.routes}`) : [];
      return new NatsServer({ ...options, node, routes, directory: join(directory, node.name) });
    });
    this.watchdog = new Watchdog(directory);
    process.once('exit', this.killAtExit);
  }

  /** The addresses for clients, `nats://127.0.0.1:…`, one for each server. */
  get urls(): readonly string[] {
    return this.servers.map(({ url }) => url);
  }

  /** The server with this name: `n1`, `n2`, `n3`. */
  server(name: string): NatsServer {
    const server = this.servers.find((candidate) => candidate.name === name);
    if (server === undefined) throw new ScalerError('internal', `there is no NATS server ${name}`);
    return server;
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.spawn()));
    this.guard();
    await Promise.all(this.servers.map((server) => server.healthy()));
  }

  /**
   * Starts a stopped or killed server again, with its old ports and data. `config` replaces its lines of `NatsOptions`.
   * Resolves when JetStream answers.
   */
  async restart(name: string, config?: string): Promise<void> {
    const server = this.server(name);
    await server.stop();
    await server.spawn(config);
    this.guard();
    await server.healthy();
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    process.removeListener('exit', this.killAtExit);
    await this.watchdog.end();
    await rm(this.directory, { recursive: true, force: true });
  }

  private guard(): void {
    this.watchdog.guard(this.servers.flatMap(({ pid }) => pid ?? []));
  }
}
