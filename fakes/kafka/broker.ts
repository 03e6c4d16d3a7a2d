import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScalerError } from '../../src/errors.ts';
import type { Distribution } from './distribution.ts';
import type { NodeLayout } from './properties.ts';

const startLimitMs = 180_000;
const stopLimitMs = 15_000;
/** What `KafkaRaftServer` logs when every listener takes connections and the broker is unfenced. */
const startedLine = 'Kafka Server started';

export interface BrokerFiles {
  readonly properties: string;
  /** What the broker prints; kept over restarts. */
  readonly log: string;
}

/** What a broker has counted since its start (KafkaStats.java). */
export interface BrokerStats {
  /** Requests by name and version, as `ListOffsets v3`. */
  readonly requests: Readonly<Record<string, number>>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connections: number;
  readonly heapBytes: number;
  readonly cpuMicros: number;
}

/** The broker's process ended before it took a connection. */
export class EndedWhileStarting extends ScalerError {
  constructor(id: number, lastWords: string, log: string) {
    super('unavailable', `Kafka broker ${id} ended while starting: ${lastWords} Its log is ${log}.`);
  }
}

/** One Kafka node as a child process in its own process group. */
export class Broker {
  readonly node: NodeLayout;
  readonly files: BrokerFiles;
  private readonly distribution: Distribution;
  private readonly jvmOptions: readonly string[];
  private readonly withStats: boolean;
  private child: ChildProcess | undefined;
  private printedBefore = 0;

  constructor(
    distribution: Distribution,
    node: NodeLayout,
    files: BrokerFiles,
    { heapMiB, stats }: { heapMiB: number; stats: boolean },
  ) {
    this.distribution = distribution;
    this.node = node;
    this.files = files;
    this.withStats = stats;
    this.jvmOptions = [
      `-Xms${heapMiB}m`,
      `-Xmx${heapMiB}m`,
      '-XX:TieredStopAtLevel=1',
      '-Djava.awt.headless=true',
      `-Dlog4j2.configurationFile=${distribution.loggingFile}`,
      ...(stats ? [`-Dstats.port=${node.ports.stats}`] : []),
    ];
  }

  get id(): number {
    return this.node.id;
  }

  /** The running process; undefined while stopped. */
  get pid(): number | undefined {
    return this.running ? this.child?.pid : undefined;
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  spawn(): void {
    const log = openSync(this.files.log, 'a');
    this.printedBefore = fstatSync(log).size;
    const main = this.withStats ? 'KafkaStats' : 'kafka.Kafka';
    this.child = spawn(
      this.distribution.java,
      [...this.jvmOptions, '-cp', this.distribution.classpath, main, this.files.properties],
      { detached: true, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    this.child.once('error', () => {});
    this.child.unref();
  }

  /**
   * Resolves when the broker says that it has started. An open port says less: Kafka opens one listener after the
   * other, and ends where the last one fails. Throws `EndedWhileStarting` where the process ends before.
   */
  async started(): Promise<void> {
    const deadline = performance.now() + startLimitMs;
    while (!(await this.printed()).includes(startedLine)) {
      if (!this.running)
        throw new EndedWhileStarting(this.id, lastWords(await this.printed()), this.files.log);
      if (performance.now() > deadline) throw this.fault(`was not up after ${startLimitMs / 1000} s`);
      await sleep(50);
    }
  }

  /** What this process has printed, and not the one before it. */
  private async printed(): Promise<string> {
    return (await readFile(this.files.log)).subarray(this.printedBefore).toString();
  }

  /** Sends SIGKILL, SIGSTOP or SIGCONT to the broker's process group. */
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    const { pid } = this;
    if (pid !== undefined) process.kill(-pid, name);
  }

  /** SIGTERM, and SIGKILL for what is still there after 15 s. A paused broker is let go on first. */
  async stop(): Promise<void> {
    if (!this.running || this.child === undefined) return;
    const gone = once(this.child, 'exit');
    this.child.ref();
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const force = setTimeout(() => this.signal('SIGKILL'), stopLimitMs);
    await gone;
    clearTimeout(force);
  }

  /** Ends the process at once; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.running || this.child === undefined) return;
    const gone = once(this.child, 'exit');
    this.child.ref();
    this.signal('SIGKILL');
    await gone;
  }

  /** Counters since the start; only with the option `stats`. */
  async stats(): Promise<BrokerStats> {
    const response = await fetch(`http://127.0.0.1:${this.node.ports.stats}/`);
    if (!response.ok) throw this.fault(`has no statistics: ${await response.text()}`);
    const stats: unknown = await response.json();
    if (!isStats(stats)) throw this.fault('answered statistics of an unknown shape');
    return stats;
  }

  private fault(what: string): ScalerError {
    return new ScalerError('unavailable', `Kafka broker ${this.id} ${what}; its log is ${this.files.log}.`);
  }
}

/** The last errors of what was printed, or its last line. */
function lastWords(printed: string): string {
  const lines = printed.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /ERROR|FATAL|Caused by|OutOfMemory/.test(line));
  return (errors.length > 0 ? errors.slice(-3) : lines.slice(-1)).join(' | ') || 'it printed nothing.';
}

function isStats(value: unknown): value is BrokerStats {
  return typeof value === 'object' && value !== null && 'requests' in value && 'cpuMicros' in value;
}
