import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeGitHub } from '../../../fakes/github/fake-github.ts';
import type { Job } from '../../../fakes/github/world/job.ts';
import type { WorkQueue } from '../../workers.ts';
import { scenario } from './scenario.ts';

const lookEveryMs = 20;
/** The labels that a runner on Linux registers with, and its own. */
const runnerLabels = new Set(['self-hosted', 'linux', 'x64', scenario.label]);

/** The repository that gets pushes, as GitHub and its runners see it. */
export class Repository implements WorkQueue {
  private readonly github: FakeGitHub;

  constructor(github: FakeGitHub) {
    this.github = github;
    github.addRepo(scenario.repo);
  }

  /** A push: queues a run of this many jobs and sends webhooks. Resolves with the time. */
  async push(jobs: number): Promise<number> {
    const labels = ['self-hosted', scenario.label];
    const atMs = performance.now();
    this.github.startRun(scenario.repo, { jobs: Array.from({ length: jobs }, () => ({ labels })) });
    return atMs;
  }

  /** A push of one job whose webhooks all get lost. */
  async pushUnheard(): Promise<number> {
    this.github.loseDeliveries(() => true);
    const atMs = await this.push(1);
    await this.github.delivered();
    this.github.mendDeliveries();
    return atMs;
  }

  /** How many jobs GitHub knows that are not completed. */
  async open(): Promise<number> {
    return this.github.openJobs(scenario.repo).length;
  }

  work(runnerName: string, stopped: AbortSignal): Promise<void> | undefined {
    const job = this.github.openJobs(scenario.repo).find((one) => isFor(one, runnerLabels));
    if (job === undefined) return undefined;
    this.github.pick(job.id, runnerName);
    return this.finish(job, stopped);
  }

  /** The jobs of a run begin together, so the number stays the same until all have a runner. */
  private async finish({ id, run }: Job, stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted && run.jobs.some(({ status }) => status === 'queued')) await sleep(lookEveryMs);
    await sleep(scenario.workMs, undefined, { signal: stopped }).catch(() => {});
    if (!stopped.aborted) this.github.complete(id);
  }
}

function isFor({ status, labels }: Job, runner: ReadonlySet<string>): boolean {
  return status === 'queued' && labels.every((label) => runner.has(label));
}
