import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { freePort } from './free-port.ts';

export interface ScrapeOptions {
  /** The port on this machine whose /metrics is scraped. */
  readonly port: number;
  /** Labels of the target, as from a service discovery. */
  readonly labels: Readonly<Record<string, string>>;
  /** Paths of rule files. */
  readonly rules: readonly string[];
}

const sample = z.tuple([z.number(), z.string()]);
const series = z.object({ metric: z.record(z.string(), z.string()), value: sample });
const answer = z.object({ status: z.literal('success'), data: z.object({ result: z.array(series) }) });
const rule = z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() });
const ruleAnswer = z.object({ data: z.object({ groups: z.array(z.object({ rules: z.array(rule) })) }) });

/** A Prometheus that scrapes one target every half second. */
export class Prometheus {
  private readonly child: ChildProcess;
  private readonly url: string;
  private readonly directory: string;
  private said = '';

  /** Resolves maybe before Prometheus is ready, so retry until it answers. */
  static async start(program: string, options: ScrapeOptions): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'prometheus-'));
    await writeFile(join(directory, 'prometheus.yaml'), stringify(configured(options)));
    const port = await freePort();
    const child = spawn(
      program,
      [
        `--config.file=${join(directory, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    return new Prometheus(child, port, directory);
  }

  private constructor(child: ChildProcess, port: number, directory: string) {
    this.child = child;
    this.url = `http://127.0.0.1:${port}`;
    this.directory = directory;
    child.once('error', (error) => {
      this.said += error.message;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.said = (this.said + text).slice(-4000);
    });
  }

  /** The values of the series in an instant query. Throws if the query is wrong. */
  async query(promql: string): Promise<number[]> {
    const found = answer.parse(await this.get(`/api/v1/query?query=${encodeURIComponent(promql)}`));
    return found.data.result.map(({ value: [, text] }) => Number(text));
  }

  /** The health of the loaded rules: `ok`, `unknown` before their first evaluation, or their error. */
  async ruleHealth(): Promise<Map<string, string>> {
    const { data } = ruleAnswer.parse(await this.get('/api/v1/rules'));
    const rules = data.groups.flatMap((group) => group.rules);
    return new Map(rules.map(({ name, health, lastError }) => [name, lastError || health]));
  }

  async stop(): Promise<void> {
    if (this.child.pid !== undefined && this.child.exitCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  private async get(path: string): Promise<unknown> {
    if (this.child.exitCode !== null) throw new Error(`Prometheus has ended: ${this.said}`);
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`Prometheus: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

function configured({ port, labels, rules }: ScrapeOptions): object {
  return {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '1s' },
    rule_files: rules,
    scrape_configs: [
      { job_name: 'backlog-scaler', static_configs: [{ targets: [`127.0.0.1:${port}`], labels }] },
    ],
  };
}
