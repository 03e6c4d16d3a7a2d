import { epochNowMs } from '../../../../src/clock.ts';
import { ScalerError } from '../../../../src/errors.ts';
import type { Job } from '../../../../src/sources/github/rules/job.ts';
import type { Dated, GitHubApi, OpenRun, OwnerRepos } from '../../../../src/sources/github/upstream/api.ts';

/** A GitHub with a few jobs that answers at once, or not at all. */
export class SmallGitHub implements GitHubApi {
  readonly quota = undefined;
  readonly clockOffsetMs = 0;
  /** By repository. */
  readonly jobs = new Map<string, Job[]>();
  down = false;

  async repositories(): Promise<OwnerRepos> {
    const repos = [...this.jobs.keys()].map((name, i) => ({ id: i + 1, name }));
    return this.answer({ repos, visible: repos.length }).value;
  }

  async openRuns(repo: string): Promise<Dated<readonly OpenRun[]>> {
    const jobs = this.of(repo).filter(({ status }) => status !== 'completed');
    return this.answer(jobs.map(({ runId, runAttempt }) => ({ runId, runAttempt })));
  }

  async jobsOf({ repo, runId }: { repo: string; runId: number }): Promise<Dated<readonly Job[]>> {
    return this.answer(this.of(repo).filter((job) => job.runId === runId));
  }

  async job({ repo, jobId }: { repo: string; jobId: number }): Promise<Dated<Job>> {
    const job = this.of(repo).find((one) => one.jobId === jobId);
    if (!job) throw new ScalerError('not_found', `there is no job ${jobId}`);
    return this.answer(job);
  }

  learnInstallation(): void {}

  private of(repo: string): readonly Job[] {
    const jobs = this.jobs.get(repo);
    if (!jobs && !this.down) throw new ScalerError('not_found', `there is no ${repo}`);
    return jobs ?? [];
  }

  private answer<T>(value: T): Dated<T> {
    if (this.down) throw new ScalerError('unavailable', 'GitHub does not answer');
    return { value, askedAtMs: epochNowMs() };
  }
}
