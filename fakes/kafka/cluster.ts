import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScalerError } from '../../src/errors.ts';
import { holdPorts } from '../ports.ts';
import { Watchdog } from '../watchdog.ts';
import { type Broker, EndedWhileStarting } from './broker.ts';
import { type Distribution, findDistribution, withStats } from './distribution.ts';
import type { KafkaOptions } from './options.ts';
import { portsPerNode, prepareBrokers } from './prepare.ts';
import { groupsWork } from './ready.ts';

const attempts = 3;

/** Addresses (`host:port`, one a broker) by listener; the TLS ones take connections where certificates were given. */
export interface Bootstrap {
  readonly plain: readonly string[];
  readonly sasl: readonly string[];
  readonly tls: readonly string[];
  readonly saslTls: readonly string[];
}

/**
 * Starts a real Kafka cluster on 127.0.0.1 and resolves when groups work. Throws ScalerError `unavailable` where
 * Java, Maven or a broker fails; the message says what to install, or where the log is, which is then kept.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const found = await findDistribution(options.progress ?? (() => {}));
  const distribution = options.stats ? await withStats(found) : found;
  for (let attempt = 1; ; attempt++) {
    const cluster = await prepareCluster(distribution, options);
    try {
      await cluster.start();
      return cluster;
    } catch (error) {
      await cluster.kill();
      // A broker may end at its start through no fault of its own: another process has taken a port, or memory was short.
      if (attempt === attempts || !(error instanceof EndedWhileStarting)) throw error;
      options.progress?.(`${error.message} Starting it again.`);
      await rm(cluster.directory, { recursive: true, force: true });
    }
  }
}

async function prepareCluster(distribution: Distribution, options: KafkaOptions): Promise<KafkaCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-kafka-'));
  const ports = await holdPorts((options.brokers ?? 1) * portsPerNode);
  try {
    return new KafkaCluster(directory, await prepareBrokers(distribution, directory, ports.numbers, options));
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  } finally {
    await ports.release();
  }
}

/** One or three running brokers. `stop()` leaves no process and no file behind. */
export class KafkaCluster {
  readonly brokers: readonly Broker[];
  readonly directory: string;
  private readonly watchdog: Watchdog;
  private readonly killAtExit = () => {
    for (const broker of this.brokers) broker.signal('SIGKILL');
  };

  constructor(directory: string, brokers: readonly Broker[]) {
    this.directory = directory;
    this.brokers = brokers;
    this.watchdog = new Watchdog(directory);
    process.once('exit', this.killAtExit);
  }

  get bootstrap(): Bootstrap {
    const at = (host: string, port: 'plain' | 'sasl' | 'tls' | 'saslTls') =>
      this.brokers.map(({ node }) => `${host}:${node.ports[port]}`);
    return {
      plain: at('127.0.0.1', 'plain'),
      sasl: at('127.0.0.1', 'sasl'),
      tls: at('localhost', 'tls'),
      saslTls: at('localhost', 'saslTls'),
    };
  }

  /** The broker with this node id (1, 2, 3), as Kafka's metadata names leaders. */
  broker(id: number): Broker {
    const broker = this.brokers.find((candidate) => candidate.id === id);
    if (broker === undefined) throw new ScalerError('internal', `there is no broker ${id}`);
    return broker;
  }

  async start(): Promise<void> {
    for (const broker of this.brokers) broker.spawn();
    this.guard();
    await Promise.all(this.brokers.map((broker) => broker.started()));
    await groupsWork(this.bootstrap.plain);
  }

  /** Starts a stopped or killed broker again, on its old ports and data; resolves when it takes connections. */
  async restart(id: number): Promise<void> {
    const broker = this.broker(id);
    await broker.stop();
    for (let attempt = 1; ; attempt++) {
      broker.spawn();
      this.guard();
      try {
        await broker.started();
        return;
      } catch (error) {
        if (attempt === attempts || !(error instanceof EndedWhileStarting)) throw error;
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.stop()));
    await this.ended();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Ends everything at once and keeps the logs. */
  async kill(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.kill()));
    await this.ended();
  }

  private guard(): void {
    this.watchdog.guard(this.brokers.flatMap(({ pid }) => pid ?? []));
  }

  private async ended(): Promise<void> {
    process.removeListener('exit', this.killAtExit);
    await this.watchdog.end();
  }
}
