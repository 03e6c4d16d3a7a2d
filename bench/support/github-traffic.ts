import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import type { Followers } from './followers.ts';
import { labelsFor } from './github-pools.ts';

/** Webhooks of a run with one job, from `requested` to `completed`, and of one with several. */
const webhooksOfWake = 6;
const otherJobs = 4;
const webhooksOfOther = 3 * otherJobs + 3;
/** Of all webhooks, those of jobs for the pools. The others are for GitHub's own runners, as most are. */
const shareOfWakes = 0.5;
/** How long a job for a pool is open: it ends before its `true` would be confirmed. */
const openMs = { least: 150, most: 800 };

export interface TrafficOptions {
  readonly followers: Followers;
  readonly pools: readonly string[];
  /** Runs are of `repo-0` … */
  readonly repositories: number;
  /** Whether a pool is woken again; before the first sync is done, nothing says that it is inactive. */
  readonly again: boolean;
}

/** Runs that come and go at GitHub, whose webhooks come at random times, so many a second on average. */
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

  /** Lets webhooks come for so long, whether or not answers do. Gives the ms from each that wakes to its `true`. */
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

  /** Resolves when all runs are over. */
  async over(): Promise<void> {
    await Promise.all(this.under);
    await this.github.delivered();
  }

  /** A job for a pool that has none; it is open until its pool was woken, and somewhat longer. */
  private wake(): Promise<number> {
    const pool = takeAny(this.idle);
    const told = this.followers.nextTrue(pool);
    const postedMs = performance.now();
    const run = this.github.startRun(this.anyRepo(), { jobs: [{ labels: labelsFor(pool) }] });
    const finished = told.then(() => this.finish(run.jobs[0]?.id, openMs));
    // That `true` did not come is told by `took`.
    this.keep(finished.then(() => this.again && this.idle.push(pool)).catch(() => {}));
    const took = told.then((atMs) => atMs - postedMs);
    // Heard by `run`; until then a failure must not count as unheard.
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
    // Its last webhook is read by then.
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

/** Something that happens so often on average, each time independent of the last. */
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
