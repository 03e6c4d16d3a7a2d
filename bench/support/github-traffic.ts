import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import type { Followers } from './followers.ts';
import { labelsFor } from './github-pools.ts';

/** The webhooks of a run with one job, from `requested` to `completed`. `otherJobs` is for a run with several jobs. */
const webhooksOfWake = 6;
const otherJobs = 4;
const webhooksOfOther = 3 * otherJobs + 3;
/** The part of all webhooks that belongs to jobs for the pools. As usual, the other jobs are for GitHub's own runners. */
const shareOfWakes = 0.5;
/** How long a job for a pool is open. It ends before its second `true`. */
const openMs = { least: 150, most: 800 };

export interface TrafficOptions {
  readonly followers: Followers;
  readonly pools: readonly string[];
  /** Runs belong to `repo-0` … */
  readonly repositories: number;
  /** Whether a pool is woken more than once. Before the end of the first sync nothing shows that it is inactive. */
  readonly again: boolean;
}

/** Runs that come and go at GitHub. Their webhooks come at random times, at this rate on average. */
export class Traffic {
  private readonly github: FakeGitHub;
  private readonly followers: Followers;
  private readonly repositories: number;
  private readonly again: boolean;
  private readonly idle: string[];
  private readonly under = new Set<Promise<unknown>>();

  constructor(github: FakeGitHub, { followers, pools, repositories, again }: TrafficOptions) {
    this.github = github;
    this.followers = followers;
    this.repositories = repositories;
    this.again = again;
    this.idle = [...pools];
  }

  /** Sends webhooks for this long, whether or not answers come. Returns the ms from each waking one to its `true`. */
  async run({
    perSecond,
    durationMs,
  }: {
    perSecond: number;
    durationMs: number;
  }): Promise<Promise<number>[]> {
    const wakes: Promise<number>[] = [];
    const arrivals = [
      new Arrivals((perSecond * shareOfWakes) / webhooksOfWake, () => wakes.push(this.wake())),
      new Arrivals((perSecond * (1 - shareOfWakes)) / webhooksOfOther, () => this.keep(this.other())),
    ];
    const startedMs = performance.now();
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startedMs) {
      for (const each of arrivals) each.until(elapsedMs);
      await sleep(1);
    }
    return wakes;
  }

  /** Resolves when all runs have ended. */
  async over(): Promise<void> {
    await Promise.all(this.under);
    await this.github.delivered();
  }

  /** A job for an idle pool. It stays open until the pool is woken, and a little longer. */
  private wake(): Promise<number> {
    const pool = takeAny(this.idle);
    const told = this.followers.nextTrue(pool);
    const postedMs = performance.now();
    const run = this.github.startRun(this.anyRepo(), { jobs: [{ labels: labelsFor(pool) }] });
    const finished = told.then(() => this.finish(run.jobs[0]?.id, openMs));
    // If no `true` came, `took` reports it.
    this.keep(finished.then(() => this.again && this.idle.push(pool)).catch(() => {}));
    const took = told.then((atMs) => atMs - postedMs);
    // Handled by `run`. Until then a failure must not count as unhandled.
    took.catch(() => {});
    return took;
  }

  private async other(): Promise<void> {
    const jobs = Array.from({ length: otherJobs }, () => ({ labels: ['ubuntu-latest'] }));
    const run = this.github.startRun(this.anyRepo(), { jobs });
    await Promise.all(run.jobs.map(({ id }) => this.finish(id, { least: 500, most: 4000 })));
  }

  private async finish(jobId = 0, { least, most }: { least: number; most: number }): Promise<void> {
    const durationMs = least + Math.random() * (most - least);
    await sleep(durationMs / 2);
    this.github.pick(jobId);
    await sleep(durationMs / 2);
    this.github.complete(jobId);
    // By then its last webhook has been read.
    await sleep(100);
  }

  private anyRepo(): string {
    return `repo-${Math.floor(Math.random() * this.repositories)}`;
  }

  private keep(work: Promise<unknown>): void {
    const kept = work.finally(() => this.under.delete(kept));
    this.under.add(kept);
  }
}

/** Events at this rate on average, each at a time independent of the last. */
class Arrivals {
  private readonly perSecond: number;
  private readonly happen: () => void;
  private nextMs = 0;

  constructor(perSecond: number, happen: () => void) {
    this.perSecond = perSecond;
    this.happen = happen;
  }

  until(elapsedMs: number): void {
    for (; this.nextMs <= elapsedMs; this.nextMs += (-Math.log(1 - Math.random()) * 1000) / this.perSecond) {
      this.happen();
    }
  }
}

function takeAny(pools: string[]): string {
  const [pool] = pools.splice(Math.floor(Math.random() * pools.length), 1);
  if (pool === undefined) throw new Error('every pool has a job: there are too few for this many wakes');
  return pool;
}
