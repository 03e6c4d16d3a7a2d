import { expect, vi } from 'vitest';
import { z } from 'zod';
import { FakeGitHub, type FakeGitHubOptions } from '../../fakes/github/fake-github.ts';
import type { Hook, HookOptions } from '../../fakes/github/hooks/hook.ts';
import { withOracle } from './github/openapi-oracle.ts';
import { type Answered, ask, Polling } from './github-keda.ts';
import { ref } from './rpc-client.ts';
import { WholeScaler } from './whole-scaler.ts';

/** A test that runs beside others has no other way to say what is to be done at its end. */
export interface Test {
  onTestFinished(end: () => unknown): void;
  onTestFailed?(tell: () => void): void;
}

// These tests mostly wait: for GitHub's limits, for what is too old, for REST to be believed.
vi.setConfig({ maxConcurrency: 16 });

export const secret = "It's a Secret to Everybody";
export const app = { id: 1, installationId: 2 };
const anyPort = { host: '127.0.0.1', port: 0 };

export type Metadata = Readonly<Record<string, string>>;

export interface SceneOptions {
  readonly github?: Partial<FakeGitHubOptions>;
  /** What is there before the scaler starts; without it one empty repository, `web`. */
  readonly before?: (github: FakeGitHub) => void;
  /** Settings of the connection `ci`, besides who and where GitHub is and how often it is asked. */
  readonly connection?: object;
  /** Other connections beside it, by name. */
  readonly others?: (github: FakeGitHub) => object;
  readonly limits?: object;
  readonly ingest?: object;
  /** Files beside the configuration, besides the App's key, the token and the webhook's secret. */
  readonly files?: (github: FakeGitHub) => Readonly<Record<string, string>>;
  /** The webhook; false: there is none. */
  readonly hook?: Partial<HookOptions> | false;
  /** False where GitHub is told to answer what it never would. */
  readonly asDescribed?: boolean;
}

/** As often as the configuration allows: what heals by REST heals within a second or two. */
export const hasty = {
  requestTimeoutMs: 2000,
  sweepSeconds: 1,
  sweepAllSeconds: 1,
  verifyQueuedSeconds: 10,
  verifyRunningSeconds: 1,
  deliveriesSeconds: 1,
};

/** REST is read at start and then left alone for the length of a test: what is known later is known by webhooks. */
export const patient = {
  sweepSeconds: 900,
  sweepAllSeconds: 21_600,
  verifyQueuedSeconds: 300,
  verifyRunningSeconds: 1800,
  deliveriesSeconds: 900,
};

/** A GitHub of the owner `acme` that is held to its published description, and a scaler of it with a webhook. */
export class Scene {
  readonly github: FakeGitHub;
  private readonly options: SceneOptions;
  private running: WholeScaler;
  private hook: Hook | undefined;

  static async start(test: Test, options: SceneOptions = {}): Promise<Scene> {
    const github = await FakeGitHub.start({
      owner: 'acme',
      ...(options.github?.token === undefined ? { app } : {}),
      ...options.github,
    });
    test.onTestFinished(() => github.close());
    const oracle = withOracle(github);
    if (options.asDescribed !== false) test.onTestFinished(() => expect(oracle.violations).toEqual([]));
    const before = options.before ?? ((empty) => empty.addRepo('web'));
    before(github);
    const scene = new Scene(github, options, await WholeScaler.start(...configured(github, options)));
    test.onTestFinished(() => scene.running.stop());
    test.onTestFailed?.(() => scene.tell());
    scene.hookUp();
    return scene;
  }

  private constructor(github: FakeGitHub, options: SceneOptions, scaler: WholeScaler) {
    this.github = github;
    this.options = options;
    this.running = scaler;
  }

  get scaler(): WholeScaler {
    return this.running;
  }

  get ingestPort(): number {
    return this.running.port('ingest');
  }

  /** Webhooks arrive nowhere, and the scaler is gone; `again` starts another. */
  async stop(): Promise<void> {
    if (this.hook !== undefined) this.github.unhook(this.hook);
    await this.running.stop();
  }

  async again(): Promise<void> {
    this.running = await WholeScaler.start(...configured(this.github, this.options));
    this.hookUp();
  }

  /** The same scaler with another connection `ci`, or other files. */
  reload(connection: object, files: Readonly<Record<string, string>> = {}): Promise<void> {
    const [settings] = configured(this.github, { ...this.options, connection });
    return this.running.reload(settings, files);
  }

  trigger(metadata: Metadata = {}): ReturnType<typeof ref> {
    const given = { source: 'github', connection: 'ci', ...metadata };
    return ref(`runners-${JSON.stringify(given)}`, given);
  }

  ask(metadata?: Metadata): Promise<Answered> {
    return ask(this.running.client, this.trigger(metadata));
  }

  poll(test: Test, metadata?: Metadata): Polling {
    const polling = new Polling(this.running.client, this.trigger(metadata));
    test.onTestFinished(async () => void (await polling.stop()));
    return polling;
  }

  /** Resolves when KEDA gets this number, and the activity that goes with it. */
  async becomes(number: number, metadata?: Metadata): Promise<void> {
    await eventually(async () => {
      expect(await this.ask(metadata)).toEqual({ number, active: number > 0 });
    });
  }

  /** Resolves when KEDA gets neither a number nor an activity, for a reason that says so. */
  async becomesUnknown(code: string, metadata?: Metadata, why: string | RegExp = ''): Promise<void> {
    await eventually(async () => {
      expect(await this.ask(metadata)).toEqual({ number: code, active: code });
      const answer = this.running.client.getMetrics(this.trigger(metadata), '');
      await expect(answer).rejects.toMatchObject({ details: expect.stringMatching(why) });
    });
  }

  /** How many jobs of GitHub's want a runner or have one. */
  get jobs(): number {
    return this.github.openJobs().filter(({ status }) => status === 'queued' || status === 'in_progress')
      .length;
  }

  /** Resolves when KEDA gets GitHub's own number. */
  async agrees(metadata?: Metadata): Promise<void> {
    await eventually(async () => {
      const number = this.jobs;
      expect(await this.ask(metadata)).toEqual({ number, active: number > 0 });
    });
  }

  /** Resolves when `web` has been read once more from its beginning to its end. */
  async reconciled(): Promise<void> {
    const lists = () => this.github.requests.filter(({ path }) => path.includes('/web/actions/runs?')).length;
    // The next one may already have been asked for, and the one after it shows that it is complete.
    const enough = lists() + 2;
    await eventually(() => expect(lists()).toBeGreaterThanOrEqual(enough));
  }

  /** The status of the probe that Kubernetes asks for. */
  async readyz(): Promise<number> {
    const { status } = await fetch(`http://127.0.0.1:${this.running.port('admin')}/readyz`);
    return status;
  }

  /** What the same probe is waiting for. */
  async checks(): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.running.port('admin')}/readyz`);
    return z.object({ checks: z.record(z.string(), z.boolean()) }).parse(await answer.json()).checks;
  }

  /** What `/metrics` says of one series, 0 where it is not there. */
  async metric(series: string): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.running.port('admin')}/metrics`);
    const line = (await answer.text()).split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  }

  /** What may explain a failure: what the scaler complained of, and what it asked last. */
  private tell(): void {
    const complaints = this.running.log.lines.filter(({ level }) => level === 'warn' || level === 'error');
    const asked = this.github.requests.slice(-20).map(({ status, path }) => `${status} ${path}`);
    console.info(JSON.stringify({ complaints, asked }, null, 1));
  }

  private hookUp(): void {
    const { hook } = this.options;
    if (hook === false) return;
    this.hook = this.github.hook({
      url: `http://127.0.0.1:${this.ingestPort}/ingest/github`,
      secret,
      ...hook,
    });
  }
}

/** Long enough for a machine with much else to do, and for what GitHub is left alone for after three failures. */
export function eventually(check: () => Promise<void> | void): Promise<void> {
  return vi.waitFor(check, { timeout: 100_000, interval: 50 });
}

function configured(
  fake: FakeGitHub,
  { github, connection = hasty, others, limits, ingest, files, hook }: SceneOptions,
): [object, Record<string, string>] {
  const ci = {
    source: 'github',
    owner: 'acme',
    apiUrl: fake.url,
    ...(fake.app === undefined
      ? { tokenFile: 'token' }
      : { app: { id: fake.app.id, privateKeyFile: 'app.pem' } }),
    ...(hook === false ? {} : { webhookSecretFile: 'webhook-secret' }),
    ...connection,
  };
  const settings = {
    ingest: { ...anyPort, ...ingest },
    limits: { coldReadTimeoutMs: 50, ...limits },
    security: { allowPlaintextSecrets: true },
    connections: { ci, ...others?.(fake) },
  };
  const given = {
    'app.pem': fake.app?.privateKey ?? '',
    token: `${github?.token}\n`,
    'webhook-secret': secret,
    ...files?.(fake),
  };
  return [settings, given];
}

/** A run of so many jobs with these labels. */
export function run(count: number, labels: readonly string[] = ['self-hosted']) {
  return { jobs: Array.from({ length: count }, () => ({ labels })) };
}

/** So many runs of `web` that are over that one list does not show them all: open runs are asked for by state. */
export function busyHistory(github: FakeGitHub): void {
  const jobs = [{ labels: ['self-hosted'], status: 'completed' as const }];
  for (let i = 0; i < 110; i += 1) github.seedRun('web', { jobs });
}
