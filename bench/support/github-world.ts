import type { FakeGitHub } from '../../fakes/github/fake-github.ts';
import { labelsFor } from './github-pools.ts';
import type { VirtualTime } from './virtual-time.ts';

const jobsOfRun = 3;
/** More than GitHub shows in one list, so that each state must be searched. */
const oldRuns = 120;
const secondMs = 1000;
const minuteMs = 60_000;
const dayMs = 86_400_000;

export interface WorldOptions {
  readonly repositories: number;
  readonly openRuns: number;
  readonly pools: readonly string[];
}

/** Repositories with a past, and a constant number of open runs: where one ends, another begins in any of them. */
export class GitHubWorld {
  private readonly github: FakeGitHub;
  private readonly time: VirtualTime;
  private readonly options: WorldOptions;
  private webhooksLost = 0;

  constructor(github: FakeGitHub, time: VirtualTime, options: WorldOptions) {
    this.github = github;
    this.time = time;
    this.options = options;
    const jobs = [{ labels: ['ubuntu-latest'], status: 'completed' as const }];
    for (let repo = 0; repo < options.repositories; repo++) {
      for (let run = oldRuns; run > 0; run--) {
        const createdAtMs = time.now() - (run / oldRuns) * 30 * dayMs;
        github.seedRun(`repo-${repo}`, { jobs, createdAtMs });
      }
    }
    for (let run = 0; run < options.openRuns; run++) time.after(Math.random() * minuteMs, () => this.begin());
  }

  get lost(): number {
    return this.webhooksLost;
  }

  /** From now on one webhook in this many cannot be delivered. GitHub does not retry by itself. */
  loseOneOf(webhooks: number): void {
    const isLost = () => {
      const lost = oneIn(webhooks);
      if (lost) this.webhooksLost++;
      return lost;
    };
    this.github.loseDeliveries(isLost, { statusCode: 502 });
  }

  private begin(): void {
    const { repositories, pools } = this.options;
    const repo = `repo-${Math.floor(Math.random() * repositories)}`;
    const pool = pools[Math.floor(Math.random() * pools.length)] ?? '';
    const jobs = Array.from({ length: jobsOfRun }, () => ({ labels: labelsFor(pool) }));
    const run = this.github.startRun(repo, { jobs });
    let open = run.jobs.length;
    for (const { id } of run.jobs) {
      // One job in twenty waits, and one in ten runs, for longer than it may be silent.
      const waitMs = oneIn(20) ? 10 * minuteMs : between(5 * secondMs, minuteMs);
      const runMs = oneIn(10) ? 45 * minuteMs : between(3 * minuteMs, 12 * minuteMs);
      this.time.after(waitMs, () => this.github.pick(id));
      this.time.after(waitMs + runMs, () => {
        this.github.complete(id);
        open -= 1;
        if (open === 0) this.begin();
      });
    }
  }
}

function oneIn(count: number): boolean {
  return Math.random() * count < 1;
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least);
}
