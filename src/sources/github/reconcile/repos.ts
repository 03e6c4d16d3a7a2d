import type { ScalerError } from '../../../errors.ts';
import type { OwnerRepos, RepoIdentity } from '../upstream/api.ts';
import { goodSinceMs, type RepoOutlook } from './agenda.ts';
import { type DirectoryOptions, type Repo, RepoDirectory } from './directory.ts';

const weekMs = 7 * 24 * 3_600_000;
/** The most repositories. Beyond this, ones known only from events are ignored. */
const maxRepos = 20_000;
/** The most names that only triggers know. */
const maxUnseen = 2_000;
/** After this many failures in a row, a repository counts as broken. */
const brokenAfter = 3;
/** Half the default staleness limit of a GitHub reading. */
const usualEveryMs = 1_800_000;

/** How often repositories are swept now. */
export interface Cadence {
  readonly nowMs: number;
  /** What live triggers name, and how often they want it swept. */
  readonly named: ReadonlyMap<string, number>;
  /** By the ledger's keys. */
  readonly withOpenJobs: ReadonlySet<string>;
  readonly activeEveryMs: number;
  readonly allEveryMs: number;
  /** How often triggers that mean the whole owner want it swept. */
  readonly ownerEveryMs: number;
}

export interface RepoBookOptions extends Pick<DirectoryOptions, 'rekeyed' | 'renamed'> {
  /** The repositories that the connection is limited to. If empty, all of the owner's. */
  readonly configured: Iterable<string>;
  /** Whether the connection may read a repository of this name. */
  readonly isOurs: (name: string) => boolean;
  /** The repository now belongs to another owner, under the name `is`. */
  readonly transferred: (was: string, is: string) => void;
}

/** The known repositories, and how far their sweeps confirm the whole owner. */
export class RepoBook {
  private readonly options: RepoBookOptions;
  private readonly directory: RepoDirectory;
  private readonly configured: ReadonlySet<string>;
  /** Those whose last sweep failed. */
  private readonly failing = new Set<Repo>();
  /** How many names only triggers know: those of the last survey, and those added since. */
  private unseen = 0;
  /** The configured repositories, or those of the first list, that have not been swept. Undefined before a list exists. */
  private firstRound: Set<Repo> | undefined;
  private listedAtMs: number | undefined;
  private visible = Number.POSITIVE_INFINITY;
  private lastSweptAtMs: number | undefined;
  private confirmed: number | undefined;
  private nothingThere = false;

  constructor(options: RepoBookOptions) {
    const joined = (from: Repo, to: Repo) => this.join(from, to);
    this.options = options;
    this.directory = new RepoDirectory({ ...options, joined });
    this.configured = new Set(options.configured);
    for (const name of this.configured) this.directory.open(name).listed = true;
    if (this.configured.size > 0) this.firstRound = new Set(this.directory.all());
  }

  /** By any of its names. */
  get(name: string): Repo | undefined {
    return this.directory.get(name);
  }

  ofKey(key: string): Repo | undefined {
    return this.directory.ofKey(key);
  }

  /** A repository's key in the ledger. '' for a name that is the key of a repository which no longer has that name. */
  keyOf(name: string): string {
    return this.directory.get(name)?.key ?? (this.directory.ofKey(name) ? '' : name);
  }

  /** A trigger names it. Undefined if nobody else knows it, and too many such names exist already. */
  openByTrigger(name: string): Repo | undefined {
    const known = this.directory.get(name);
    if (known) return known;
    if (this.unseen >= maxUnseen) return undefined;
    this.unseen += 1;
    return this.directory.open(name);
  }

  /** Events of repositories beyond the configured ones are ignored, because they may not be ours to read. */
  openByEvent(name: string, id?: number): Repo | undefined {
    const known = this.directory.heard(name, id);
    if (known) return known;
    if (this.configured.size > 0 || this.directory.size >= maxRepos) return undefined;
    return id === undefined ? this.directory.open(name) : this.directory.learn({ id, name });
  }

  /** GitHub answered to a repository's name with this identity. Returns whether it is the same one, and ours to read. */
  answered(repo: Repo, identity: RepoIdentity): boolean {
    const movedTo = this.options.isOurs(identity.name) ? undefined : identity.name;
    if (movedTo !== undefined && movedTo !== repo.movedTo) this.options.transferred(repo.name, movedTo);
    repo.movedTo = movedTo;
    return movedTo === undefined && this.directory.answered(repo, identity);
  }

  /** How many exist, without names that only triggers know. */
  get size(): number {
    return this.directory.size - this.unseen;
  }

  /** GitHub's list shows nothing of the owner. */
  get nothingVisible(): boolean {
    return this.visible === 0;
  }

  isUnseen(name: string): boolean {
    const repo = this.directory.get(name);
    return repo === undefined || !isSeen(repo);
  }

  /** Takes the owner's list, requested at `askedAtMs`. */
  list({ repos, visible }: OwnerRepos, askedAtMs: number): void {
    const listed = new Set(repos.map((identity) => this.directory.learn(identity)));
    for (const repo of this.directory.all()) repo.listed = listed.has(repo);
    this.listedAtMs = askedAtMs;
    this.visible = visible;
    this.firstRound ??= new Set(
      [...listed].filter(({ sweptAtMs, missing }) => sweptAtMs === undefined && !missing),
    );
    this.settle(askedAtMs);
  }

  /** A sweep that began at `startedAtMs` is complete. */
  swept(repo: Repo, startedAtMs: number, nowMs: number): void {
    repo.sweptAtMs = startedAtMs;
    repo.missing = undefined;
    this.recovered(repo);
    this.lastSweptAtMs = Math.max(this.lastSweptAtMs ?? startedAtMs, startedAtMs);
    this.firstRound?.delete(repo);
    this.settle(nowMs);
  }

  /** GitHub answered 404 for it. */
  missed(repo: Repo, atMs: number): void {
    const { sinceMs, times } = repo.missing ?? { sinceMs: atMs, times: 0 };
    repo.missing = { sinceMs, askedAtMs: atMs, times: times + 1 };
    this.recovered(repo);
    this.firstRound?.delete(repo);
    this.settle(atMs);
  }

  failed(repo: Repo, error: ScalerError, nowMs: number): void {
    repo.sweptByOther = false;
    if (repo.failures === 0) repo.failedSinceMs = nowMs;
    repo.failures += 1;
    repo.error = error;
    this.failing.add(repo);
    if (repo.failures === brokenAfter) this.callWitness();
    this.settle(nowMs);
  }

  /**
   * Makes another repository, one that could be read before, due now. Its sweep tells a broken repository from a GitHub
   * that is down.
   */
  private callWitness(): void {
    for (const repo of this.directory.all()) {
      if (repo.sweptAtMs === undefined || repo.missing || repo.failures > 0) continue;
      repo.urgent = true;
      return;
    }
  }

  /** `from` was another name of `to`. */
  private join(from: Repo, to: Repo): void {
    to.listed ||= from.listed;
    to.wanted ||= from.wanted;
    to.active ||= from.active;
    to.lastEventAtMs = Math.max(to.lastEventAtMs, from.lastEventAtMs);
    this.failing.delete(from);
    this.firstRound?.delete(from);
    this.confirm();
  }

  private recovered(repo: Repo): void {
    repo.urgent = false;
    repo.sweptByOther = false;
    repo.failures = 0;
    repo.error = undefined;
    repo.leftOut = false;
    this.failing.delete(repo);
  }

  /**
   * Whether another repository of the owner was read after this one was missed. If not, the installation or the token's
   * rights may be gone. Then GitHub answers 404 for everything, and nothing is known.
   */
  isGoneForCertain({ name, missing, listed, movedTo }: Repo): boolean {
    if (!missing) return false;
    if (movedTo !== undefined) return true;
    if (!listed && (this.listedAtMs ?? 0) >= missing.sinceMs) return true;
    const owner = `${name.split('/')[0]}/`;
    for (const other of this.directory.all())
      if (other.name.startsWith(owner) && (other.sweptAtMs ?? 0) >= missing.sinceMs) return true;
    return false;
  }

  /** Whether the whole owner has been read once, except for repositories that cannot be read. */
  get firstDone(): boolean {
    if (this.firstRound === undefined) return false;
    for (const repo of this.firstRound) if (!repo.leftOut) return false;
    return true;
  }

  /** The repositories that the first round still waits for. Undefined before a list exists. */
  get firstRemaining(): ReadonlySet<Repo> | undefined {
    return this.firstRound;
  }

  /** Since when the ledger is known to be right for the whole owner, as far as it was read. */
  get confirmedAtMs(): number | undefined {
    return this.firstDone ? this.confirmed : undefined;
  }

  /** GitHub answers 404 for every listed repository: our rights are gone, not the repositories. */
  get allMissing(): boolean {
    return this.nothingThere;
  }

  /** Those that stay broken while others can be read. */
  leftOut(): readonly Repo[] {
    return [...this.failing].filter((repo) => repo.leftOut);
  }

  /** Those of the names (by default the configured ones) for which GitHub answers 404. */
  missing(names: Iterable<string> = this.configured): readonly string[] {
    return [...names].filter((name) => this.directory.get(name)?.missing !== undefined);
  }

  /** Those that a trigger or the configuration names, and for which GitHub answers 404. */
  missingWanted(): readonly string[] {
    const missing: string[] = [];
    for (const repo of this.directory.all()) if (repo.wanted && repo.missing) missing.push(repo.name);
    return missing;
  }

  /**
   * Finds out which repositories are active, and when each is due. Forgets those that are not listed, named or heard of.
   */
  survey(cadence: Cadence): RepoOutlook[] {
    const outlooks: RepoOutlook[] = [];
    const named = this.wishes(cadence.named);
    const configured = this.wishes(new Map(Array.from(this.configured, (name) => [name, 0])));
    let resting: Repo | undefined;
    let active = false;
    this.unseen = 0;
    for (const repo of this.directory.all()) {
      const wanted = named.get(repo);
      repo.wanted = wanted !== undefined || configured.has(repo);
      mark(repo, cadence, wanted);
      if (!repo.active && !repo.urgent && !repo.listed) {
        this.directory.forget(repo);
        this.firstRound?.delete(repo);
        this.failing.delete(repo);
        continue;
      }
      const seen = cadence.withOpenJobs.has(repo.key) || isSeen(repo);
      if (!seen) this.unseen += 1;
      active ||= repo.active && seen;
      const older = (repo.sweptAtMs ?? Infinity) < (resting?.sweptAtMs ?? Infinity);
      if (older && !repo.missing) resting = repo;
      outlooks.push(outlookOf(repo, cadence, wanted, seen));
    }
    if (this.failing.size > 0) this.settle(cadence.nowMs);
    return active || !resting ? outlooks : [...outlooks, this.pulse(resting, cadence)];
  }

  /** How often each named repository is to be swept. */
  private wishes(named: ReadonlyMap<string, number>): ReadonlyMap<Repo, number> {
    const wishes = new Map<Repo, number>();
    for (const [name, everyMs] of named) {
      const repo = this.directory.get(name);
      if (repo) wishes.set(repo, Math.min(wishes.get(repo) ?? everyMs, everyMs));
    }
    return wishes;
  }

  /** An owner at rest is confirmed too, by the repository whose sweep is the oldest. */
  private pulse(repo: Repo, { activeEveryMs, nowMs }: Cadence): RepoOutlook {
    return {
      repo: repo.key,
      named: false,
      seen: true,
      synced: true,
      active: true,
      underWay: repo.sweep !== undefined,
      dueAtMs: Math.max(repo.retryAtMs, (this.lastSweptAtMs ?? 0) + activeEveryMs),
      sinceMs: goodSinceMs(this.lastSweptAtMs, activeEveryMs, nowMs),
    };
  }

  /** Decides which are broken, and how far the others confirm the owner. */
  private settle(nowMs: number): void {
    for (const repo of this.failing) repo.leftOut = this.isBroken(repo, nowMs);
    this.confirm();
  }

  /** Broken if another repository was read since this one began to fail. */
  private isBroken({ failures, failedSinceMs, sweptAtMs, patienceMs }: Repo, nowMs: number): boolean {
    if (failures < brokenAfter || (this.lastSweptAtMs ?? 0) < failedSinceMs) return false;
    return sweptAtMs === undefined || nowMs - sweptAtMs > patienceMs;
  }

  /**
   * The oldest sweep of the active repositories, and never earlier than before. A repository that becomes active counts
   * as confirmed until now. It holds the time still until it is swept, and does not make all others old.
   */
  private confirm(): void {
    let oldest = Number.POSITIVE_INFINITY;
    let listedSize = 0;
    let listedMissing = 0;
    let seenSize = 0;
    for (const repo of this.directory.all()) {
      // A name that only a trigger knows delays no other repository.
      if (!isSeen(repo)) continue;
      const { active, listed, missing, sweptAtMs, leftOut } = repo;
      seenSize += 1;
      if (listed) listedSize += 1;
      if (listed && missing) listedMissing += 1;
      if (active && !missing && !leftOut) oldest = Math.min(oldest, sweptAtMs ?? this.confirmed ?? oldest);
    }
    this.nothingThere = listedSize > 0 && listedMissing === listedSize;
    const atMs = oldest === Number.POSITIVE_INFINITY ? this.restingConfirmedAtMs(seenSize) : oldest;
    if (atMs !== undefined) this.confirmed = Math.max(this.confirmed ?? atMs, atMs);
  }

  private restingConfirmedAtMs(seenSize: number): number | undefined {
    return seenSize === 0 ? this.listedAtMs : (this.lastSweptAtMs ?? this.listedAtMs);
  }
}

/** Whether anything but a trigger shows that it exists: a list, the configuration, an event, or a read. */
function isSeen({ listed, sweptAtMs, lastEventAtMs }: Repo): boolean {
  return listed || sweptAtMs !== undefined || lastEventAtMs > Number.NEGATIVE_INFINITY;
}

function mark(
  repo: Repo,
  { nowMs, withOpenJobs, ownerEveryMs }: Cadence,
  namedEveryMs = Number.POSITIVE_INFINITY,
): void {
  repo.active = repo.wanted || withOpenJobs.has(repo.key) || nowMs - repo.lastEventAtMs <= weekMs;
  repo.patienceMs = 1.5 * Math.min(usualEveryMs, ownerEveryMs, namedEveryMs);
}

function outlookOf(
  repo: Repo,
  { nowMs, activeEveryMs, allEveryMs }: Cadence,
  namedEveryMs: number | undefined,
  seen: boolean,
): RepoOutlook {
  const { key, active, sweptAtMs, missing, sweep } = repo;
  const everyMs = Math.min(active ? activeEveryMs : allEveryMs, namedEveryMs ?? Number.POSITIVE_INFINITY);
  return {
    repo: key,
    named: namedEveryMs !== undefined,
    seen,
    synced: sweptAtMs !== undefined || missing !== undefined,
    active,
    underWay: sweep !== undefined,
    dueAtMs: Math.max(repo.retryAtMs, wantedAtMs(repo, everyMs)),
    sinceMs: wantedSinceMs(repo, everyMs, nowMs),
  };
}

/** A removed repository is checked again soon, to be sure. Later checks only cost requests. */
const askAgainMs = 60_000;

/** When its next sweep is due, 0 for at once. `everyMs` is the interval of its sweeps. */
function wantedAtMs({ urgent, sweptByOther, missing, sweptAtMs }: Repo, everyMs: number): number {
  if (sweptByOther) return 0;
  if (missing) return missing.askedAtMs + (missing.times === 1 ? Math.min(askAgainMs, everyMs) : everyMs);
  if (urgent || sweptAtMs === undefined) return 0;
  return sweptAtMs + everyMs;
}

function wantedSinceMs(
  { urgent, sweptByOther, missing, sweptAtMs }: Repo,
  everyMs: number,
  nowMs: number,
): number | undefined {
  if (urgent) return undefined;
  // Anything newer than the last sweep.
  const knownAtMs = missing?.askedAtMs ?? sweptAtMs;
  if (sweptByOther && knownAtMs !== undefined) return knownAtMs + 1;
  if (missing) return undefined;
  return goodSinceMs(sweptAtMs, everyMs, nowMs);
}
