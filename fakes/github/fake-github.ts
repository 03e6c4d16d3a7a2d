import { type App, AppAuth, type AppOptions } from './app-auth.ts';
import { Faults } from './faults.ts';
import type { Happening } from './happening.ts';
import type { Hook, HookOptions } from './hooks/hook.ts';
import { Hooks } from './hooks/hooks.ts';
import { payload, ping } from './payloads.ts';
import { RateLimits } from './rest/limits.ts';
import type { RecordedRequest, Recorder } from './rest/recorder.ts';
import { type Exchange, RestServer } from './rest/server.ts';
import { type Seed, seedRun } from './seed.ts';
import type { Urls } from './shapes/urls.ts';
import { type JobRequest, type RunRequest, Workflows } from './workflows.ts';
import type { Conclusion, Job } from './world/job.ts';
import type { Owner, Permissions, Repo } from './world/owner.ts';
import type { Run } from './world/run.ts';
import { World } from './world/world.ts';

export interface FakeGitHubOptions {
  readonly owner: string;
  readonly ownerType?: Owner['type'];
  /** Webhooks name this enterprise. */
  readonly enterprise?: string;
  readonly app?: AppOptions;
  /** A personal access token that sees everything. */
  readonly token?: string;
  /** GitHub's own clock, in ms since 1970. */
  readonly now?: () => number;
  /** `/api/v3` makes it an Enterprise Server, without rate limits. Default: none. */
  readonly prefix?: string;
}

/** A repository by name, or by `owner/name` if it belongs to another owner. */
type RepoName = string;

/**
 * A GitHub in one process. It has repositories, runs and jobs that change on command, the REST API for them, and signed
 * webhooks of every change. Times are ms since 1970 by its own clock.
 */
export class FakeGitHub {
  readonly faults: Faults;
  readonly world: World;
  private readonly owner: Owner;
  private readonly urls: Urls;
  private readonly rest: RestServer;
  private readonly hooks: Hooks;
  private readonly workflows: Workflows;
  private readonly appAuth: AppAuth | undefined;

  static async start(options: FakeGitHubOptions): Promise<FakeGitHub> {
    const prefix = options.prefix ?? '';
    const rest = new RestServer(prefix);
    const origin = `http://127.0.0.1:${await rest.listen()}`;
    return new FakeGitHub(options, rest, { api: `${origin}${prefix}`, html: origin });
  }

  private constructor(options: FakeGitHubOptions, rest: RestServer, urls: Urls) {
    const now = options.now ?? Date.now;
    const limits = new RateLimits({ now, enabled: options.prefix === undefined });
    this.faults = new Faults(limits);
    this.world = new World({ now, lagMs: () => this.faults.lagMs });
    this.rest = rest;
    this.urls = urls;
    this.appAuth = options.app === undefined ? undefined : new AppAuth(options.app);
    this.owner = this.world.addOwner(
      options.owner,
      options.ownerType ?? 'Organization',
      options.app?.installationId,
    );
    const { enterprise } = options;
    this.hooks = new Hooks({
      now,
      body: (happening, { of }) => payload(happening, { urls, enterprise, ofApp: of === 'app' }),
      ping: (hook) => ping(hook, urls),
      defaultOf: options.app === undefined ? 'organization' : 'app',
      targetIdOf: (of) => (of === 'app' ? (options.app?.id ?? 0) : this.owner.id),
    });
    this.workflows = new Workflows(this.world, (happening) => {
      // A redelivery has the name that the repository had then.
      this.hooks.tell({ ...happening, repo: { ...happening.repo } });
    });
    const { world, workflows, hooks, appAuth, faults } = this;
    rest.serve({ world, workflows, hooks, appAuth, token: options.token, limits, faults, urls });
  }

  /** The base address of REST, without a slash at the end. */
  get url(): string {
    return this.urls.api;
  }

  get app(): App | undefined {
    return this.appAuth?.app;
  }

  get requests(): readonly RecordedRequest[] {
    return this.rest.recorder.requests;
  }

  /** Counts of all requests, including those that `requests` no longer has. */
  get recorder(): Recorder {
    return this.rest.recorder;
  }

  async close(): Promise<void> {
    this.hooks.close();
    await this.rest.close();
  }

  /** Calls `observe` with every answered request, until the returned function is called. */
  observe(observe: (exchange: Exchange) => void): () => void {
    this.rest.observers.add(observe);
    return () => this.rest.observers.delete(observe);
  }

  // Owners and repositories.

  addOwner(login: string, options: { installationId?: number; type?: Owner['type'] } = {}): void {
    this.world.addOwner(login, options.type ?? 'Organization', options.installationId);
  }

  /** Sets what the App's installation on an owner may do. */
  grant(permissions: Permissions, login: string = this.owner.login): void {
    const owner = this.world.ownerOf(login);
    if (owner === undefined) throw new Error(`There is no owner ${login} in this GitHub.`);
    owner.permissions = permissions;
  }

  /** All issued installation tokens stop working. */
  revokeTokens(): void {
    this.appAuth?.revokeAll();
  }

  addRepo(name: RepoName, options: { private?: boolean; archived?: boolean } = {}): Repo {
    const [login, short = name] = name.includes('/') ? name.split('/') : [this.owner.login, name];
    const owner = this.world.ownerOf(login ?? '');
    if (owner === undefined) throw new Error(`There is no owner ${login} in this GitHub.`);
    return this.world.addRepo(owner, short, options);
  }

  removeRepo(name: RepoName): void {
    this.world.removeRepo(this.repo(name));
  }

  /** REST redirects its old name, until another repository takes it. */
  renameRepo(name: RepoName, to: string): void {
    const repo = this.repo(name);
    this.world.moveRepo(repo, repo.owner, to);
  }

  transferRepo(name: RepoName, login: string): void {
    const repo = this.repo(name);
    const owner = this.world.ownerOf(login);
    if (owner === undefined) throw new Error(`There is no owner ${login} in this GitHub.`);
    this.world.moveRepo(repo, owner, repo.name);
  }

  // Changes of runs and jobs. Webhooks report them.

  startRun(repo: RepoName, request: RunRequest): Run {
    return this.workflows.start(this.repo(repo), request);
  }

  addJob(runId: number, request: JobRequest): Job {
    return this.workflows.addJob(this.world.run(runId), request);
  }

  /** Releases a run that was started with a `status`. */
  release(runId: number): void {
    this.workflows.release(this.world.run(runId));
  }

  approve(jobId: number): void {
    this.workflows.approve(this.world.job(jobId));
  }

  pick(jobId: number, runnerName = 'runner-1'): void {
    this.workflows.pick(this.world.job(jobId), runnerName);
  }

  complete(jobId: number, conclusion: Conclusion = 'success'): void {
    this.workflows.complete(this.world.job(jobId), conclusion);
  }

  skip(jobId: number): void {
    this.workflows.skip(this.world.job(jobId));
  }

  cancelRun(runId: number): void {
    this.workflows.cancel(this.world.run(runId));
  }

  rerunFailed(runId: number): Run {
    const run = this.world.run(runId);
    this.workflows.rerunFailed(run);
    return run;
  }

  /** A run from before, without a webhook. */
  seedRun(repo: RepoName, seed: Seed): Run {
    return seedRun(this.world, this.repo(repo), seed);
  }

  /** Queued forever, without a job (actions/runner#3872). */
  ghostRun(repo: RepoName, createdAtMs?: number): Run {
    return this.seedRun(repo, {
      jobs: [],
      status: 'queued',
      ...(createdAtMs === undefined ? {} : { createdAtMs }),
    });
  }

  /** The truth: every job that is not completed, in the runs' latest attempts. */
  openJobs(repo?: RepoName): Job[] {
    const runs = repo === undefined ? this.world.runs.values() : this.repo(repo).runs;
    return [...runs].flatMap((run) => run.jobs.filter((job) => job.status !== 'completed'));
  }

  // Webhooks.

  hook(options: HookOptions): Hook {
    return this.hooks.add(options);
  }

  unhook(hook: Hook): void {
    this.hooks.remove(hook);
  }

  ping(hook: Hook): void {
    this.hooks.ping(hook);
  }

  /**
   * Loses the next `which` events, or all for which `which` returns true. They are in the log of deliveries only if
   * `statusCode` says how they failed.
   */
  loseDeliveries(
    which: number | ((happening: Happening) => boolean),
    options: { statusCode?: number } = {},
  ): void {
    this.hooks.mishaps.lose(which, options.statusCode);
  }

  /** Every later delivery waits this long, in ms. */
  delayDeliveries(delayMs: number | ((happening: Happening) => number)): void {
    this.hooks.mishaps.delay(delayMs);
  }

  /** Later deliveries overtake each other within this window. The same seed gives the same order. */
  shuffle(windowMs = 20, seed = 1): void {
    this.hooks.mishaps.shuffle(windowMs, seed);
  }

  /** Deliveries arrive at once again, and in order. */
  mendDeliveries(): void {
    this.hooks.mishaps.end();
  }

  /** Sends nothing until `releaseDeliveries`, which may change the order. */
  holdDeliveries(): void {
    this.hooks.hold();
  }

  releaseDeliveries(order: <T>(items: T[]) => T[] = (items) => items): void {
    this.hooks.release(order);
  }

  /** Sends an event again, to all hooks, however old it is. */
  redeliver(guid: string): void {
    this.hooks.redeliver(guid);
  }

  /** The GUIDs of events, lost ones included, oldest first. */
  guids(which: (happening: Happening) => boolean = () => true): string[] {
    return this.hooks.guids(which);
  }

  /** Resolves when no delivery is under way. */
  delivered(): Promise<void> {
    return this.hooks.delivered();
  }

  private repo(name: RepoName): Repo {
    const fullName = name.includes('/') ? name : `${this.owner.login}/${name}`;
    const repo = this.world.repos.get(fullName.toLowerCase());
    if (repo === undefined) throw new Error(`There is no repository ${fullName} in this GitHub.`);
    return repo;
  }
}
