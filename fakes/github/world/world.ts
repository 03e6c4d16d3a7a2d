import { Job, type JobState } from './job.ts';
import type { Owner, Permissions, Repo } from './owner.ts';
import { Run, type RunState } from './run.ts';

interface Clock {
  now(): number;
  /** How long REST shows the state before a change, in ms. */
  lagMs(): number;
}

const readActions: Permissions = { actions: 'read', metadata: 'read' };

/** The state of this GitHub, with look-ups. Nothing here happens by itself. */
export class World {
  readonly owners = new Map<string, Owner>();
  readonly repos = new Map<string, Repo>();
  /** Renamed and transferred ones by their former names, until another repository takes these. */
  readonly moved = new Map<string, Repo>();
  readonly runs = new Map<number, Run>();
  readonly jobs = new Map<number, Job>();
  private readonly clock: Clock;
  private lastAccountId = 40_000_000;
  private lastRepoId = 390_000_000;
  // Real IDs have long outgrown 32 bits.
  private lastRunId = 12_000_000_000;
  private lastJobId = 34_000_000_000;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  now(): number {
    return this.clock.now();
  }

  addOwner(login: string, type: Owner['type'], installationId: number | undefined): Owner {
    const owner = { id: ++this.lastAccountId, login, type, installationId, permissions: readActions };
    this.owners.set(login.toLowerCase(), owner);
    return owner;
  }

  ownerOf(login: string): Owner | undefined {
    return this.owners.get(login.toLowerCase());
  }

  installation(id: number): Owner | undefined {
    for (const owner of this.owners.values()) if (owner.installationId === id) return owner;
    return undefined;
  }

  addRepo(owner: Owner, name: string, options: { private?: boolean; archived?: boolean } = {}): Repo {
    const fullName = `${owner.login}/${name}`;
    const repo: Repo = {
      id: ++this.lastRepoId,
      owner,
      name,
      fullName,
      private: options.private ?? false,
      archived: options.archived ?? false,
      createdAtMs: this.now(),
      runs: [],
      open: new Set(),
    };
    this.repos.set(fullName.toLowerCase(), repo);
    this.moved.delete(fullName.toLowerCase());
    return repo;
  }

  moveRepo(repo: Repo, owner: Owner, name: string): void {
    const before = repo.fullName.toLowerCase();
    this.repos.delete(before);
    Object.assign(repo, { owner, name, fullName: `${owner.login}/${name}` });
    const now = repo.fullName.toLowerCase();
    this.moved.set(before, repo);
    this.moved.delete(now);
    this.repos.set(now, repo);
  }

  removeRepo(repo: Repo): void {
    this.repos.delete(repo.fullName.toLowerCase());
    for (const run of repo.runs) {
      this.runs.delete(run.id);
      for (const job of run.attempts.flat()) this.jobs.delete(job.id);
    }
  }

  /** Oldest first. */
  reposOf(owner: Owner): Repo[] {
    return [...this.repos.values()].filter((repo) => repo.owner === owner);
  }

  addRun(repo: Repo, event: string, createdAtMs: number, state: Omit<RunState, 'updatedAtMs'>): Run {
    const run = new Run({ id: ++this.lastRunId, repo, number: repo.runs.length + 1, event, createdAtMs });
    this.runs.set(run.id, run);
    const older = repo.runs.findIndex((other) => other.createdAtMs <= createdAtMs);
    repo.runs.splice(older === -1 ? repo.runs.length : older, 0, run);
    repo.open.add(run);
    this.setRun(run, state);
    return run;
  }

  addJob(
    run: Run,
    from: { name: string; environment: boolean; createdAtMs: number; state: JobState; attempt?: number },
  ): Job {
    const { name, environment, createdAtMs, state } = from;
    const attempt = from.attempt ?? run.attempt;
    const job = new Job({ id: ++this.lastJobId, run, attempt, name, environment, createdAtMs });
    this.jobs.set(job.id, job);
    run.attempts[attempt - 1]?.push(job);
    const [now, lagMs] = [this.now(), this.clock.lagMs()];
    job.state.set(state, now, lagMs);
    run.changed(now + lagMs);
    return job;
  }

  setRun(run: Run, state: Omit<RunState, 'updatedAtMs'>): void {
    const [now, lagMs] = [this.now(), this.clock.lagMs()];
    run.state.set({ ...state, updatedAtMs: now }, now, lagMs);
    run.changed(now + lagMs);
    run.repo.open.add(run);
  }

  setJob(job: Job, state: JobState): void {
    const now = this.now();
    job.state.set(state, now, this.clock.lagMs());
    this.setRun(job.run, job.run.current);
  }

  run(id: number): Run {
    const run = this.runs.get(id);
    if (run === undefined) throw new Error(`There is no run ${id} in this GitHub.`);
    return run;
  }

  job(id: number): Job {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`There is no job ${id} in this GitHub.`);
    return job;
  }
}
