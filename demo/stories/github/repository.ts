import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeGitHub } from '../../../fakes/github/fake-github.ts';
import type { Job } from '../../../fakes/github/world/job.ts';
import type { WorkQueue } from '../../workers.ts';
import { scenario } from './scenario.ts';

const lookEveryMs = 20;
/** What a runner on Linux registers with, and its own label. */
const runnerLabels = new Set(['self-hosted', 'linux', 'x64', scenario.label]);

/** The repository whose workflow is pushed to, as GitHub and its runners see it. */
export class Repository implements WorkQueue {
  private readonly github: FakeGitHub;

  constructor(github: FakeGitHub) {
    this.github = github;
    github.addRepo(scenario.repo);
  }

  /** Somebody pushes: a run of so many jobs is queued, and webhooks are posted. Resolves with when. */
  async push(jobs: number): Promise<number> {
    const labels = ['self-hosted', scenario.label];
    const atMs = performance.now();
    this.github.startRun(scenario.repo, { jobs: Array.from({ length: jobs }, () => ({ labels })) });
    return atMs;
  }

  /** The same with one job, of which no webhook arrives. */
  async pushUnheard(): Promise<number> {
    this.github.loseDeliveries(() => true);
    const atMs = await this.push(1);
    await this.github.delivered();
    this.github.mendDeliveries();
    return atMs;
  }

  /** Jobs that are not completed, as GitHub knows them. */
  async open(): Promise<number> {
    return this.github.openJobs(scenario.repo).length;
  }

  work(runnerName: string, stopped: AbortSignal): Promise<void> | undefined {
    const job = this.github.openJobs(scenario.repo).find((one) => isFor(one, runnerLabels));
    if (job === undefined) return undefined;
    this.github.pick(job.id, runnerName);
    return this.finish(job, stopped);
  }

  /** The jobs of a run begin together: the number stays what it is until all have their runner. */
  private async finish({ id, run }: Job, stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted && run.jobs.some(({ status }) => status === 'queued')) await sleep(lookEveryMs);
    await sleep(scenario.workMs, undefined, { signal: stopped }).catch(() => {});
    if (!stopped.aborted) this.github.complete(id);
  }
}

function isFor({ status, labels }: Job, runner: ReadonlySet<string>): boolean {
  return status === 'queued' && labels.every((label) => runner.has(label));
}
