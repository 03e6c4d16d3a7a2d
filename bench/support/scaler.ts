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

/** The product as it is shipped: `serve` with a configuration file, in a process of its own. */
export class ScalerProcess {
  /** Where its gRPC service listens. */
  readonly address: string;
  /** Where webhooks are posted to, without a path; only where something takes them. */
  readonly ingestUrl: string;
  /** Where /metrics is. */
  readonly metricsUrl: string;
  readonly process: NodeProcess;
  /** Goes with the process. */
  private readonly ownDirectory: string | undefined;

  /** With a configuration of its own; hosts and ports are ours. Resolves when it has said that it is ready. */
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

  /** With a configuration file that is there. Resolves when it has said that it is ready. */
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
   * Resolves when reads have fallen to the pace of subjects at rest: every one of `subjects` is watched. A subject
   * that is not is read every second, one that is every 30 s.
   */
  async atRest(subjects: number, limitMs = 120_000): Promise<void> {
    const windowMs = 3000;
    const deadline = performance.now() + limitMs;
    let before = await this.reads();
    for (;;) {
      await sleep(windowMs);
      const now = await this.reads();
      // Reconciles that are spread evenly come to a tenth of the subjects in 3 s; one that is not at rest to three.
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
