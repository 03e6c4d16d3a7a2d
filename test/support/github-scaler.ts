import { expect, vi } from 'vitest';
import { z } from 'zod';
import { FakeGitHub, type FakeGitHubOptions } from '../../fakes/github/fake-github.ts';
import type { Hook, HookOptions } from '../../fakes/github/hooks/hook.ts';
import { withOracle } from './github/openapi-oracle.ts';
import { type Answered, ask, Polling } from './github-keda.ts';
import { ref } from './rpc-client.ts';
import { WholeScaler } from './whole-scaler.ts';

/** A test that runs beside others can register its cleanup only here. */
export interface Test {
  onTestFinished(end: () => unknown): void;
  onTestFailed?(tell: () => void): void;
}

// These tests mostly wait: for GitHub's limits, for readings to become too old, or until REST can be believed.
vi.setConfig({ maxConcurrency: 16 });

export const secret = "It's a Secret to Everybody";
export const app = { id: 1, installationId: 2 };
const anyPort = { host: '127.0.0.1', port: 0 };

export type Metadata = Readonly<Record<string, string>>;

export interface SceneOptions {
  readonly github?: Partial<FakeGitHubOptions>;
  /** Prepares GitHub before the scaler starts. By default one empty repository, `web`. */
  readonly before?: (github: FakeGitHub) => void;
  /** Settings of the connection `ci`, beside its owner, its address and its intervals. */
  readonly connection?: object;
  /** Other connections beside it, by name. */
  readonly others?: (github: FakeGitHub) => object;
  readonly limits?: object;
  readonly ingest?: object;
  /** Files beside the configuration, and beside the App's key, the token and the webhook's secret. */
  readonly files?: (github: FakeGitHub) => Readonly<Record<string, string>>;
  /** The webhook. False for none. */
  readonly hook?: Partial<HookOptions> | false;
  /** False if GitHub should answer against its description. */
  readonly asDescribed?: boolean;
}

/** As often as the configuration allows, so that REST heals within a second or two. */
export const hasty = {
  requestTimeoutMs: 2000,
  sweepSeconds: 1,
  sweepAllSeconds: 1,
  verifyQueuedSeconds: 10,
  verifyRunningSeconds: 1,
  deliveriesSeconds: 1,
};

/** REST is read at the start, and then not again during a test. Later changes are known from webhooks only. */
export const patient = {
  sweepSeconds: 900,
  sweepAllSeconds: 21_600,
  verifyQueuedSeconds: 300,
  verifyRunningSeconds: 1800,
  deliveriesSeconds: 900,
};

/** A GitHub of the owner `acme` that is checked against GitHub's published description, and its scaler, with a webhook. */
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

  /** Stops the scaler, and removes the webhook. `again` starts another scaler. */
  async stop(): Promise<void> {
    if (this.hook !== undefined) this.github.unhook(this.hook);
    await this.running.stop();
  }

  async again(): Promise<void> {
    this.running = await WholeScaler.start(...configured(this.github, this.options));
    this.hookUp();
  }

  /** Reloads the scaler with another connection `ci`, or other files. */
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

  /** Resolves when KEDA gets this number, and an activity that fits it. */
  async becomes(number: number, metadata?: Metadata): Promise<void> {
    await eventually(async () => {
      expect(await this.ask(metadata)).toEqual({ number, active: number > 0 });
    });
  }

  /** Resolves when KEDA gets neither a number nor an activity, for this reason. */
  async becomesUnknown(code: string, metadata?: Metadata, why: string | RegExp = ''): Promise<void> {
    await eventually(async () => {
      expect(await this.ask(metadata)).toEqual({ number: code, active: code });
      const answer = this.running.client.getMetrics(this.trigger(metadata), '');
      await expect(answer).rejects.toMatchObject({ details: expect.stringMatching(why) });
    });
  }

  /** How many jobs at GitHub need or have a runner. */
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

  /** Resolves when `web` has been read once more from beginning to end. */
  async reconciled(): Promise<void> {
    const lists = () => this.github.requests.filter(({ path }) => path.includes('/web/actions/runs?')).length;
    // The next list may already have been requested. The one after it proves that it is complete.
    const enough = lists() + 2;
    await eventually(() => expect(lists()).toBeGreaterThanOrEqual(enough));
  }

  /** The status of the readiness probe. */
  async readyz(): Promise<number> {
    const { status } = await fetch(`http://127.0.0.1:${this.running.port('admin')}/readyz`);
    return status;
  }

  /** The checks that the readiness probe waits for. */
  async checks(): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.running.port('admin')}/readyz`);
    return z.object({ checks: z.record(z.string(), z.boolean()) }).parse(await answer.json()).checks;
  }

  /** The value of a series in `/metrics`, or 0. */
  async metric(series: string): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.running.port('admin')}/metrics`);
    const line = (await answer.text()).split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  }

  /** Prints what may explain a failure: the scaler's complaints and its last requests. */
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

/** Long enough for a busy machine, and for the pause after three failures of GitHub. */
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

/** A run of this many jobs with these labels. */
export function run(count: number, labels: readonly string[] = ['self-hosted']) {
  return { jobs: Array.from({ length: count }, () => ({ labels })) };
}

/** Gives `web` more ended runs than one list shows, so that open runs must be searched by state. */
export function busyHistory(github: FakeGitHub): void {
  const jobs = [{ labels: ['self-hosted'], status: 'completed' as const }];
  for (let i = 0; i < 110; i += 1) github.seedRun('web', { jobs });
}
