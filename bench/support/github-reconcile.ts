import { createServer, type Server } from 'node:http';
import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import type { Hook } from '../../fakes/github/hooks/hook.ts';
import { FakePods } from '../../fakes/peers.ts';
import { listen } from '../../fakes/ports.ts';
import { githubConfig } from '../../src/sources/github/config.ts';
import { Reconciler } from '../../src/sources/github/reconcile/reconciler.ts';
import { Ledger } from '../../src/sources/github/rules/ledger.ts';
import { fact } from '../../src/sources/github/rules/webhook.ts';
import { createGitHubApi, type GitHubAuth } from '../../src/sources/github/upstream/github.ts';
import { SharedGitHub } from '../../src/sources/github/upstream/shared.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { token } from './github.ts';
import { owner } from './github-pools.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The source's own: how often a subject is read, and how old a reading may be. */
const readMs = 30_000;
const maxStalenessMs = 3_600_000;

/** The time between the starts of two pods. It differs from every interval at which repositories are read. */
const startsApartMs = 7 * 60_000;

export interface PodsSetting {
  readonly count: number;
  /** One asks GitHub for all. Otherwise each asks for itself. */
  readonly together: boolean;
}

interface Pod {
  readonly ledger: Ledger;
  readonly reconciler: Reconciler;
}

/**
 * The parts of a connection of the scaler, on a clock of their own: ledger, reconciler and REST client, with webhooks
 * over HTTP. Or several such pods. Each gets every webhook, as through a shared event log.
 */
export class Reconciled {
  corrections = 0;
  webhooks = 0;
  private readonly pods: readonly Pod[];
  private readonly time: VirtualTime;
  private readonly github: FakeGitHub;
  private readonly server: Server;
  private hook: Hook | undefined;

  static async start(
    github: FakeGitHub,
    time: VirtualTime,
    by: GitHubAuth['kind'],
    setting: PodsSetting = { count: 1, together: false },
  ): Promise<Reconciled> {
    const reconciled = new Reconciled(github, time, by, setting);
    const port = await listen(reconciled.server);
    reconciled.hook = github.hook({ url: `http://127.0.0.1:${port}/`, secret: 'bench' });
    time.loops = 1;
    for (const [index, { reconciler }] of reconciled.pods.entries()) {
      if (index === 0) reconciler.start();
      else
        time.after(index * startsApartMs, () => {
          time.loops += 1;
          reconciler.start();
        });
    }
    reconciled.read();
    time.every(readMs, () => reconciled.read());
    return reconciled;
  }

  private constructor(
    github: FakeGitHub,
    time: VirtualTime,
    by: GitHubAuth['kind'],
    { count, together }: PodsSetting,
  ) {
    const peers = together ? new FakePods() : undefined;
    this.github = github;
    this.time = time;
    this.pods = Array.from({ length: count }, () => this.pod(by, peers));
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.take(String(request.headers['x-github-event']), Buffer.concat(chunks));
        response.writeHead(202).end();
      });
    });
  }

  private pod(by: GitHubAuth['kind'], together: FakePods | undefined): Pod {
    const { github } = this;
    const { now, setTimer } = this.time;
    const metrics = { request() {}, rateLimitRemaining() {}, corrected: () => this.corrections++ };
    const log = silentLogger;
    const ledger = new Ledger();
    const own = createGitHubApi({
      owner,
      scope: 'org',
      apiUrl: github.url,
      auth: by === 'app' ? { kind: 'app', ...appOf(github) } : { kind: 'token', token },
      requestTimeoutMs: 10_000,
      metrics,
      log,
      now,
    });
    const shared =
      together &&
      new SharedGitHub({
        own,
        peers: (duties) => together.join(duties),
        swept: (name, ageMs) => reconciler.sweptByOther(name, ageMs),
        changed() {},
        told() {},
        now,
      });
    const reconciler = new Reconciler({
      api: shared ?? own,
      ledger,
      settings: { ...githubConfig.parse({ owner, token: 'none' }), repos: [] },
      owner,
      scope: 'org',
      log,
      metrics,
      wake() {},
      now,
      setTimer,
      ...(shared && {
        pods: {
          asks: () => shared.asks,
          swept: (name: string, startedAtMs: number) => shared.tellSwept(name, startedAtMs),
        },
      }),
    });
    return { ledger, reconciler };
  }

  private take(event: string, body: Buffer): void {
    const said = fact(event, JSON.parse(body.toString()));
    if (said === undefined) throw new Error(`a webhook says nothing: ${body}`);
    const nowMs = this.time.now();
    this.webhooks++;
    for (const { reconciler } of this.pods) reconciler.take(said, nowMs);
  }

  /** Triggers without repositories share one subject, however many they are. */
  private read(): void {
    for (const { reconciler } of this.pods) reconciler.need([], maxStalenessMs);
  }

  /** The number in the ledgers of all pods. Undefined if they differ. */
  get openJobs(): number | undefined {
    const counts = this.pods.map(({ ledger }) => {
      let open = 0;
      for (const { queued, running } of ledger.counts()) open += queued + running;
      return open;
    });
    return new Set(counts).size === 1 ? counts[0] : undefined;
  }

  async close(): Promise<void> {
    if (this.hook !== undefined) this.github.unhook(this.hook);
    await Promise.all(this.pods.map(({ reconciler }) => reconciler.close()));
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function appOf({ app }: FakeGitHub): { id: number; privateKey: string } {
  if (app?.privateKey === undefined) throw new Error('this GitHub has no App');
  return { id: app.id, privateKey: app.privateKey };
}
