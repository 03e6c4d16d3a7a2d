import { ScalerError } from '../../../../../src/errors.ts';
import type { Job, JobStatus } from '../../../../../src/sources/github/rules/job.ts';
import type {
  Dated,
  FailedDelivery,
  GitHubApi,
  JobsOfRun,
  OpenRun,
  OpenRuns,
  OwnerRepos,
  Quota,
  RepoIdentity,
} from '../../../../../src/sources/github/upstream/api.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface Call {
  readonly operation: 'repositories' | 'openRuns' | 'jobsOf' | 'job' | 'failedDeliveries' | 'redeliver';
  /** The repository, or the delivery's GUID. */
  readonly about: string;
  readonly runId?: number;
  readonly atMs: number;
}

/** GitHub as reconciling sees it: the truth in memory, and faults that a test sets. */
export class ScriptedGitHub implements GitHubApi {
  readonly calls: Call[] = [];
  readonly listed = new Set<string>();
  readonly ids = new Map<string, number>();
  readonly renamed = new Map<string, string>();
  /** How many more repositories exist that cannot run jobs. */
  archived = 0;
  readonly removed = new Set<string>();
  /** Runs without jobs that GitHub calls open. */
  readonly ghosts = new Map<string, number[]>();
  readonly jobs = new Map<number, Job>();
  readonly deletedRuns = new Set<number>();
  readonly installations: [string, number][] = [];
  readonly undelivered = new Map<string, FailedDelivery>();
  /** How far back failed deliveries were requested. */
  readonly lookedBackTo: number[] = [];
  quota: Quota | undefined;
  clockOffsetMs = 0;
  latencyMs = 100;
  /** Returns the error of a call that should fail. */
  fault: (call: Call) => ScalerError | undefined = () => undefined;
  redelivered: (delivery: FailedDelivery) => void = () => {};
  private readonly clock: VirtualClock;

  constructor(clock: VirtualClock, repos: readonly string[]) {
    this.clock = clock;
    for (const repo of repos) this.listed.add(repo);
  }

  put(
    repo: string,
    runId: number,
    jobId: number,
    status: JobStatus = 'queued',
    more: Partial<Job> = {},
  ): Job {
    const job = { jobId, runId, runAttempt: 1, repo, labels: ['self-hosted'], status, gated: false, ...more };
    const dated: Job = { sinceMs: this.clock.nowMs, ...job };
    this.jobs.set(jobId, dated);
    return dated;
  }

  /** How many jobs of a repository, or of all, need or have a runner. */
  open(repo?: string): number {
    let open = 0;
    for (const job of this.jobs.values()) {
      const there = !this.removed.has(job.repo) && !this.deletedRuns.has(job.runId);
      const counts = job.status === 'queued' || job.status === 'in_progress';
      if (there && counts && (repo === undefined || job.repo === repo)) open += 1;
    }
    return open;
  }

  callsOf(operation: Call['operation'], about?: string): Call[] {
    return this.calls.filter(
      (call) => call.operation === operation && (about === undefined || call.about === about),
    );
  }

  /** The repository's ID, which stays the same when it is renamed. */
  identityOf(name: string): RepoIdentity {
    const known = this.ids.get(name) ?? this.ids.size + 1;
    this.ids.set(name, known);
    return { id: known, name };
  }

  async repositories(signal: AbortSignal): Promise<OwnerRepos> {
    const { value: names } = await this.answer('repositories', '*', signal, () => [...this.listed]);
    const visible = names.length + this.archived;
    return { repos: names.map((name) => this.identityOf(name)), visible };
  }

  /** From now on its old name leads to the new one. */
  rename(was: string, is: string): void {
    this.ids.set(is, this.identityOf(was).id);
    this.renamed.set(was, is);
    this.renamed.delete(is);
    if (this.listed.delete(was) && is.startsWith('acme/')) this.listed.add(is);
    for (const [jobId, job] of this.jobs) if (job.repo === was) this.jobs.set(jobId, { ...job, repo: is });
  }

  /** Another repository takes a name. */
  create(name: string): void {
    this.renamed.delete(name);
    this.ids.set(name, this.ids.size + 1_000);
    this.listed.add(name);
  }

  async openRuns(asked: string, signal: AbortSignal): Promise<OpenRuns> {
    const repo = this.renamed.get(asked) ?? asked;
    const answer = await this.answer('openRuns', asked, signal, (): OpenRun[] => {
      const open = new Set(this.ghosts.get(repo));
      for (const job of this.jobs.values())
        if (job.repo === repo && job.status !== 'completed' && !this.deletedRuns.has(job.runId))
          open.add(job.runId);
      return [...open].map((runId) => ({ runId, runAttempt: 1 }));
    });
    // As at GitHub: runs name their repository, and after a redirect it is looked up.
    const isTold = answer.value.length > 0 || repo !== asked;
    return isTold ? { ...answer, repo: this.identityOf(repo) } : answer;
  }

  async jobsOf({ repo, runId }: { repo: string; runId: number }, signal: AbortSignal): Promise<JobsOfRun> {
    const answer = await this.answer('jobsOf', repo, signal, () => this.jobsOfRun(runId, repo), runId);
    return { ...answer, moved: this.renamed.has(repo) };
  }

  job({ repo, jobId }: { repo: string; jobId: number }, signal: AbortSignal): Promise<Dated<Job>> {
    return this.answer('job', repo, signal, () => {
      const job = this.jobs.get(jobId);
      if (!job || this.deletedRuns.has(job.runId)) throw notFound(`job ${jobId}`);
      return job;
    });
  }

  async failedDeliveries(sinceMs: number, signal: AbortSignal): Promise<readonly FailedDelivery[]> {
    this.lookedBackTo.push(sinceMs);
    const answer = await this.answer('failedDeliveries', '*', signal, () => [...this.undelivered.values()]);
    return answer.value;
  }

  async redeliver(delivery: FailedDelivery, signal: AbortSignal): Promise<void> {
    await this.answer('redeliver', delivery.guid, signal, () => this.redelivered(delivery));
  }

  learnInstallation(owner: string, installationId: number): void {
    this.installations.push([owner, installationId]);
  }

  private jobsOfRun(runId: number, repo: string): Job[] {
    if (this.deletedRuns.has(runId)) throw notFound(`run ${runId}`);
    return [...this.jobs.values()].filter((job) => job.runId === runId).map((job) => ({ ...job, repo }));
  }

  private async answer<T>(
    operation: Call['operation'],
    about: string,
    signal: AbortSignal,
    make: () => T,
    runId?: number,
  ): Promise<Dated<T>> {
    const askedAtMs = this.clock.nowMs;
    const call = { operation, about, atMs: askedAtMs, ...(runId === undefined ? {} : { runId }) };
    this.calls.push(call);
    const error = this.fault(call);
    await this.pass(signal);
    if (error) throw error;
    if (this.removed.has(about)) throw notFound(about);
    return { value: make(), askedAtMs };
  }

  private pass(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        cancel();
        reject(new ScalerError('unavailable', 'cancelled'));
      };
      const cancel = this.clock.setTimer(() => {
        signal.removeEventListener('abort', aborted);
        resolve();
      }, this.latencyMs);
      if (signal.aborted) aborted();
      else signal.addEventListener('abort', aborted);
    });
  }
}

export function notFound(what: string): ScalerError {
  return new ScalerError('not_found', `GitHub does not know ${what}`);
}

export function down(): ScalerError {
  return new ScalerError('unavailable', 'GitHub answers 502');
}

export function limited(seconds: number): ScalerError {
  const retryAfterMs = seconds * 1000;
  return new ScalerError('unavailable', `GitHub wants no request for ${seconds} s`, { retryAfterMs });
}
