import { createServer, type Server } from 'node:http';
import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import type { Hook } from '../../fakes/github/hooks/hook.ts';
import { listen } from '../../fakes/ports.ts';
import { githubConfig } from '../../src/sources/github/config.ts';
import { Reconciler } from '../../src/sources/github/reconcile/reconciler.ts';
import { Ledger } from '../../src/sources/github/rules/ledger.ts';
import { fact } from '../../src/sources/github/rules/webhook.ts';
import { createGitHubApi, type GitHubAuth } from '../../src/sources/github/upstream/github.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { token } from './github.ts';
import { owner } from './github-pools.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How often a subject is read, and how old a reading may be: the source's own. */
const readMs = 30_000;
const maxStalenessMs = 3_600_000;

/** What a connection of the scaler is made of, on a clock of its own: ledger, reconciler and REST client, webhooks over HTTP. */
export class Reconciled {
  readonly ledger = new Ledger();
  corrections = 0;
  webhooks = 0;
  private readonly reconciler: Reconciler;
  private readonly time: VirtualTime;
  private readonly github: FakeGitHub;
  private readonly server: Server;
  private hook: Hook | undefined;

  static async start(github: FakeGitHub, time: VirtualTime, by: GitHubAuth['kind']): Promise<Reconciled> {
    const reconciled = new Reconciled(github, time, by);
    const port = await listen(reconciled.server);
    reconciled.hook = github.hook({ url: `http://127.0.0.1:${port}/`, secret: 'bench' });
    reconciled.reconciler.start();
    reconciled.read();
    time.every(readMs, () => reconciled.read());
    return reconciled;
  }

  private constructor(github: FakeGitHub, time: VirtualTime, by: GitHubAuth['kind']) {
    const { now, setTimer } = time;
    const metrics = { request() {}, rateLimitRemaining() {}, corrected: () => this.corrections++ };
    const log = silentLogger;
    const api = createGitHubApi({
      owner,
      scope: 'org',
      apiUrl: github.url,
      auth: by === 'app' ? { kind: 'app', ...appOf(github) } : { kind: 'token', token },
      requestTimeoutMs: 10_000,
      metrics,
      log,
      now,
    });
    this.github = github;
    this.time = time;
    this.reconciler = new Reconciler({
      api,
      ledger: this.ledger,
      settings: { ...githubConfig.parse({ owner, token: 'none' }), repos: [] },
      owner,
      scope: 'org',
      log,
      metrics,
      wake() {},
      now,
      setTimer,
    });
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.take(String(request.headers['x-github-event']), Buffer.concat(chunks));
        response.writeHead(202).end();
      });
    });
  }

  private take(event: string, body: Buffer): void {
    const said = fact(event, JSON.parse(body.toString()));
    if (said === undefined) throw new Error(`a webhook says nothing: ${body}`);
    const nowMs = this.time.now();
    this.webhooks++;
    this.reconciler.take(said, nowMs);
  }

  /** Triggers without repositories, however many, share one subject. */
  private read(): void {
    this.reconciler.need([], maxStalenessMs);
  }

  get openJobs(): number {
    let open = 0;
    for (const { queued, running } of this.ledger.counts()) open += queued + running;
    return open;
  }

  async close(): Promise<void> {
    if (this.hook !== undefined) this.github.unhook(this.hook);
    await this.reconciler.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function appOf({ app }: FakeGitHub): { id: number; privateKey: string } {
  if (app?.privateKey === undefined) throw new Error('this GitHub has no App');
  return { id: app.id, privateKey: app.privateKey };
}
