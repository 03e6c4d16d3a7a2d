import type { RepoOutlook } from './agenda.ts';
import { dueAtMs, isSeen, newRepo, type Repo } from './repo.ts';

const weekMs = 7 * 24 * 3_600_000;
/** Repositories that only events tell of are not taken beyond this. */
const maxRepos = 20_000;
/** Nor are more names than these that nobody but triggers has heard of. */
const maxUnseen = 2_000;

/** How often repositories are swept now. */
export interface Cadence {
  readonly nowMs: number;
  /** What live triggers name, and how often they want it swept. */
  readonly named: ReadonlyMap<string, number>;
  readonly withOpenJobs: ReadonlySet<string>;
  readonly activeEveryMs: number;
  readonly allEveryMs: number;
}

/** The repositories that are known, and how far the owner is confirmed by what was read of them. */
export class RepoBook {
  private readonly repos = new Map<string, Repo>();
  private readonly configured: ReadonlySet<string>;
  /** As of the last survey, and those that were opened since. */
  private unseen = 0;
  /** The configured ones, or those of the first list, that have not been swept; undefined before there is a list. */
  private firstRound: Set<string> | undefined;
  private listedAtMs: number | undefined;
  private lastSweptAtMs: number | undefined;
  private confirmed: number | undefined;
  private nothingThere = false;

  constructor(configured: Iterable<string>) {
    this.configured = new Set(configured);
    for (const name of this.configured) this.open(name).listed = true;
    if (this.configured.size > 0) this.firstRound = new Set(this.configured);
  }

  get(name: string): Repo | undefined {
    return this.repos.get(name);
  }

  open(name: string): Repo {
    const known = this.repos.get(name);
    if (known) return known;
    const repo = newRepo(name);
    this.repos.set(name, repo);
    return repo;
  }

  /** A trigger names it. Undefined: nobody else has heard of it, and there are many such names already. */
  openByTrigger(name: string): Repo | undefined {
    const known = this.repos.get(name);
    if (known) return known;
    if (this.unseen >= maxUnseen) return undefined;
    this.unseen += 1;
    return this.open(name);
  }

  /** How many there are, without names that nobody has seen. */
  get size(): number {
    return this.repos.size - this.unseen;
  }

  isUnseen(name: string): boolean {
    const repo = this.repos.get(name);
    return repo === undefined || !isSeen(repo);
  }

  /** Events of repositories beyond those configured wake nobody here: they may not be ours to read. */
  openByEvent(name: string): Repo | undefined {
    const known = this.repos.get(name);
    if (known) return known;
    return this.configured.size > 0 || this.repos.size >= maxRepos ? undefined : this.open(name);
  }

  /** Takes the owner's list, which was asked for at `askedAtMs`. */
  list(names: readonly string[], askedAtMs: number): void {
    const listed = new Set(names);
    for (const repo of this.repos.values()) repo.listed = listed.has(repo.name);
    for (const name of listed) this.open(name).listed = true;
    this.listedAtMs = askedAtMs;
    if (!this.firstRound) {
      this.firstRound = new Set(listed);
      for (const { name, sweptAtMs, missing } of this.repos.values())
        if (sweptAtMs !== undefined || missing) this.firstRound.delete(name);
    }
    this.confirm();
  }

  /** A sweep that began at `startedAtMs` is complete. */
  swept(repo: Repo, startedAtMs: number): void {
    repo.sweptAtMs = startedAtMs;
    repo.missing = undefined;
    this.lastSweptAtMs = Math.max(this.lastSweptAtMs ?? startedAtMs, startedAtMs);
    this.firstRound?.delete(repo.name);
    this.confirm();
  }

  /** GitHub answered 404 for it. */
  missed(repo: Repo, atMs: number): void {
    const { sinceMs, times } = repo.missing ?? { sinceMs: atMs, times: 0 };
    repo.missing = { sinceMs, askedAtMs: atMs, times: times + 1 };
    this.firstRound?.delete(repo.name);
    this.confirm();
  }

  /**
   * Whether something else of the same owner was read after the repository was missed. If not, it may be the
   * installation that is gone, or the token's rights: then GitHub answers 404 for everything, and nothing is known.
   */
  isGoneForCertain({ name, missing, listed }: Repo): boolean {
    if (!missing) return false;
    if (!listed && (this.listedAtMs ?? 0) >= missing.sinceMs) return true;
    const owner = `${name.split('/')[0]}/`;
    for (const other of this.repos.values())
      if (other.name.startsWith(owner) && (other.sweptAtMs ?? 0) >= missing.sinceMs) return true;
    return false;
  }

  /** Whether all of the owner has been read once. */
  get firstDone(): boolean {
    return this.firstRound?.size === 0;
  }

  /** The repositories that the first round still waits for; undefined before there is a list. */
  get firstRemaining(): ReadonlySet<string> | undefined {
    return this.firstRound;
  }

  /** Since when all of the owner is known to be as the ledger says, as far as was asked. */
  get confirmedAtMs(): number | undefined {
    return this.firstDone ? this.confirmed : undefined;
  }

  /** GitHub answers 404 for each that is listed: it is not the repositories that are gone, but our rights. */
  get allMissing(): boolean {
    return this.nothingThere;
  }

  /** Those of the named (of the configured, where none are) for which GitHub answers 404. */
  missing(names: Iterable<string> = this.configured): readonly string[] {
    return [...names].filter((name) => this.repos.get(name)?.missing !== undefined);
  }

  /** Those that somebody has named, a trigger or the configuration, and for which GitHub answers 404. */
  missingWanted(): readonly string[] {
    const missing: string[] = [];
    for (const repo of this.repos.values()) if (repo.wanted && repo.missing) missing.push(repo.name);
    return missing;
  }

  /** Looks at all: who is active, who is due when. Forgets those that nobody lists, names or hears of. */
  survey(cadence: Cadence): RepoOutlook[] {
    const outlooks: RepoOutlook[] = [];
    let resting: Repo | undefined;
    let active = false;
    this.unseen = 0;
    for (const repo of this.repos.values()) {
      this.mark(repo, cadence);
      if (!repo.active && !repo.urgent && !repo.listed) {
        this.repos.delete(repo.name);
        this.firstRound?.delete(repo.name);
        continue;
      }
      const seen = cadence.withOpenJobs.has(repo.name) || isSeen(repo);
      if (!seen) this.unseen += 1;
      active ||= repo.active && seen;
      const older = (repo.sweptAtMs ?? Infinity) < (resting?.sweptAtMs ?? Infinity);
      if (older && !repo.missing) resting = repo;
      outlooks.push(outlookOf(repo, cadence, seen));
    }
    return active || !resting ? outlooks : [...outlooks, this.pulse(resting, cadence)];
  }

  /** An owner at rest is confirmed too, by the repository that was swept longest ago. */
  private pulse(repo: Repo, { activeEveryMs }: Cadence): RepoOutlook {
    const atMs = Math.max(repo.retryAtMs, (this.lastSweptAtMs ?? 0) + activeEveryMs);
    const underWay = repo.sweep !== undefined;
    return { repo: repo.name, named: false, seen: true, synced: true, active: true, underWay, dueAtMs: atMs };
  }

  private mark(repo: Repo, { nowMs, named, withOpenJobs }: Cadence): void {
    const { name } = repo;
    repo.wanted = named.has(name) || this.configured.has(name);
    repo.active = repo.wanted || withOpenJobs.has(name) || nowMs - repo.lastEventAtMs <= weekMs;
  }

  /**
   * The oldest sweep of those that are active, and never less than before: one that becomes active was known as
   * one at rest, so that it stops the confirming until it is swept, and does not make all others old.
   */
  private confirm(): void {
    let oldest = Number.POSITIVE_INFINITY;
    let listedSize = 0;
    let listedMissing = 0;
    let seenSize = 0;
    for (const repo of this.repos.values()) {
      // A name that only a trigger knows holds up nobody else.
      if (!isSeen(repo)) continue;
      const { active, listed, missing, sweptAtMs } = repo;
      seenSize += 1;
      if (listed) listedSize += 1;
      if (listed && missing) listedMissing += 1;
      if (active && !missing) oldest = Math.min(oldest, sweptAtMs ?? this.confirmed ?? oldest);
    }
    this.nothingThere = listedSize > 0 && listedMissing === listedSize;
    const atMs = oldest === Number.POSITIVE_INFINITY ? this.restingConfirmedAtMs(seenSize) : oldest;
    if (atMs !== undefined) this.confirmed = Math.max(this.confirmed ?? atMs, atMs);
  }

  private restingConfirmedAtMs(seenSize: number): number | undefined {
    return seenSize === 0 ? this.listedAtMs : (this.lastSweptAtMs ?? this.listedAtMs);
  }
}

function outlookOf(repo: Repo, { named, activeEveryMs, allEveryMs }: Cadence, seen: boolean): RepoOutlook {
  const { name, active, sweptAtMs, missing, sweep } = repo;
  const namedEveryMs = named.get(name) ?? Number.POSITIVE_INFINITY;
  const everyMs = Math.min(active ? activeEveryMs : allEveryMs, namedEveryMs);
  return {
    repo: name,
    named: named.has(name),
    seen,
    synced: sweptAtMs !== undefined || missing !== undefined,
    active,
    underWay: sweep !== undefined,
    dueAtMs: dueAtMs(repo, everyMs),
  };
}
