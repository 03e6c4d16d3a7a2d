import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeProcess, type ProcessOptions } from './child-process.ts';
import { sumBy } from './exposition.ts';

const host = '127.0.0.1';

export interface Start extends ProcessOptions {
  /** The built command. */
  readonly program: string;
}

/** The product as shipped: `serve` with a configuration file, in a process of its own. */
export class ScalerProcess {
  /** The address of its gRPC service. */
  readonly address: string;
  /** The address for webhooks, without a path. Valid only if something takes them. */
  readonly ingestUrl: string;
  /** The address of /metrics. */
  readonly metricsUrl: string;
  readonly process: NodeProcess;
  /** Removed together with the process. */
  private readonly ownDirectory: string | undefined;

  /** Starts with these settings, but our hosts and ports. Resolves when it is ready. */
  static async serve(settings: object, start: Start): Promise<ScalerProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-bench-'));
    const file = join(directory, 'config.yaml');
    const config = {
      grpc: { host, port: 0 },
      admin: { host, port: 0 },
      ingest: { host, port: 0 },
      ...settings,
    };
    // JSON is YAML.
    await writeFile(file, JSON.stringify(config));
    return ScalerProcess.start(file, start, directory);
  }

  /** Starts with an existing configuration file. Resolves when it is ready. */
  static async start(
    file: string,
    { program, ...options }: Start,
    ownDirectory?: string,
  ): Promise<ScalerProcess> {
    const child = new NodeProcess([program, 'serve', '--config', file], options);
    const ports = new Map<string, number>();
    await child.until((line) => {
      const entry = logEntry(line);
      if (typeof entry['server'] === 'string') ports.set(entry['server'], Number(entry['port']));
      return entry['msg'] === 'ready';
    });
    return new ScalerProcess(child, ports, ownDirectory);
  }

  private constructor(
    child: NodeProcess,
    ports: ReadonlyMap<string, number>,
    ownDirectory: string | undefined,
  ) {
    this.process = child;
    this.ownDirectory = ownDirectory;
    this.address = `${host}:${ports.get('grpc')}`;
    this.ingestUrl = `http://${host}:${ports.get('ingest')}`;
    this.metricsUrl = `http://${host}:${ports.get('admin')}/metrics`;
  }

  async exposition(): Promise<string> {
    const response = await fetch(this.metricsUrl);
    if (!response.ok) throw new Error(`/metrics answers ${response.status}`);
    return response.text();
  }

  /** Requests it has sent upstream, by operation. */
  async upstreamRequests(): Promise<ReadonlyMap<string, number>> {
    return sumBy(await this.exposition(), 'backlog_scaler_source_requests_total', 'operation');
  }

  /** Webhooks it has answered, by outcome. */
  async webhooks(): Promise<ReadonlyMap<string, number>> {
    return sumBy(await this.exposition(), 'backlog_scaler_ingest_requests_total', 'outcome');
  }

  /**
   * Resolves when every one of `subjects` is watched, and reads have become rare. A subject that is not watched is read
   * every second, a watched one every 30 s.
   */
  async atRest(subjects: number, limitMs = 120_000): Promise<void> {
    const windowMs = 3000;
    const deadline = performance.now() + limitMs;
    let before = await this.reads();
    for (;;) {
      await sleep(windowMs);
      const now = await this.reads();
      // In 3 s, evenly spread reconciles read a tenth of the subjects. One subject that is not at rest is read three
      // times.
      if (before > 0 && now - before < subjects * 0.1 + 2) return;
      if (performance.now() > deadline) throw new Error(`subjects are not at rest after ${limitMs / 1000} s`);
      before = now;
    }
  }

  private async reads(): Promise<number> {
    const byOutcome = sumBy(await this.exposition(), 'backlog_scaler_source_reads_total', 'outcome');
    return byOutcome.get('ok') ?? 0;
  }

  async stop(): Promise<void> {
    await this.process.stop();
    if (this.ownDirectory !== undefined) await rm(this.ownDirectory, { recursive: true, force: true });
  }
}

function logEntry(line: string): Record<string, unknown> {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? { ...entry } : {};
  } catch {
    return {};
  }
}
