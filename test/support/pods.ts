import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { Command, type LogFields } from './command.ts';
import { TestClient } from './rpc-client.ts';

const address = { host: '127.0.0.1', port: 0 };

export interface PodOptions {
  readonly github: FakeGitHub;
  /** The address of NATS. */
  readonly natsUrl: string;
  /** The event log's stream. Pods with the same stream belong together. */
  readonly stream: string;
  /** Settings of the connection `ci`. */
  readonly connection?: object;
  readonly env?: NodeJS.ProcessEnv;
}

/** One of several pods: `serve` in a process of its own, with its event log in NATS. */
export class Pod {
  readonly client: TestClient;
  readonly grpcPort: number;
  private readonly command: Command;
  private readonly adminPort: number;

  /** Resolves when it listens, but maybe before it is ready. It ends with the test. */
  static async start({ github, natsUrl, stream, connection, env }: PodOptions): Promise<Pod> {
    const directory = await mkdtemp(join(tmpdir(), 'backlog-scaler-pod-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const file = join(directory, 'config.yaml');
    const ci = { source: 'github', owner: 'acme', apiUrl: github.url, token: 'pat', ...connection };
    const settings = {
      grpc: address,
      admin: address,
      limits: { coldReadTimeoutMs: 50 },
      security: { allowPlaintextSecrets: true },
      eventLog: { type: 'nats', servers: [natsUrl], stream },
      connections: { ci },
    };
    // JSON is YAML.
    await writeFile(file, JSON.stringify(settings));
    const command = new Command(['serve', '--config', file], env);
    onTestFinished(async () => {
      command.signal('SIGKILL');
      await command.exited;
    });
    return new Pod(command, await command.port('grpc'), await command.port('admin'));
  }

  /** The first line of its log with this text, past or future. */
  said(text: string): Promise<LogFields> {
    return this.command.line(({ msg }) => String(msg).includes(text));
  }

  private constructor(command: Command, grpcPort: number, adminPort: number) {
    this.command = command;
    this.grpcPort = grpcPort;
    this.adminPort = adminPort;
    this.client = new TestClient(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
    onTestFinished(() => this.client.close());
  }

  /** kill -9. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.command.signal('SIGKILL');
    await this.command.exited;
  }

  /** Stops it without closing its connections, like a machine that hangs. */
  freeze(): void {
    this.command.signal('SIGSTOP');
  }

  thaw(): void {
    this.command.signal('SIGCONT');
  }

  /** SIGTERM. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.command.signal('SIGTERM');
    await this.command.exited;
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.adminPort}/metrics`)).text();
  }

  /** How many requests it has sent to GitHub. */
  async requests(): Promise<number> {
    const counts = (await this.metrics()).matchAll(/^backlog_scaler_source_requests_total\{.*\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** The first status of the connection `ci` that the status page gets. */
  async connection(): Promise<unknown> {
    const abort = new AbortController();
    const { body } = await fetch(`http://127.0.0.1:${this.adminPort}/api/live`, { signal: abort.signal });
    let text = '';
    try {
      for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        const [, row] = /"connections":\[(\{[^\]]*\})\]/.exec(text) ?? [];
        if (row !== undefined) return JSON.parse(row);
      }
    } finally {
      abort.abort();
    }
    return undefined;
  }

  /** Whether its metric says that it asks GitHub for all pods. */
  async holds(): Promise<boolean> {
    return /^backlog_scaler_leases_held\{connection="ci"\} 1$/m.test(await this.metrics());
  }
}

/** A client that calls one pod after the other, as KEDA's does (`round_robin`). */
export function roundRobin(pods: readonly Pod[]): TestClient {
  const target = `ipv4:${pods.map(({ grpcPort }) => `127.0.0.1:${grpcPort}`).join(',')}`;
  const config = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
  const client = new TestClient(target, credentials.createInsecure(), { 'grpc.service_config': config });
  onTestFinished(() => client.close());
  return client;
}
