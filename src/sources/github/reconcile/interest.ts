const forgottenAfterMs = 600_000;
const lookEveryMs = 60_000;
/** As many as the most triggers. */
const maxNeeds = 20_000;
/** The most names in all of them together. */
const maxNames = 50_000;

interface Need {
  readonly repos: readonly string[];
  maxStalenessMs: number;
  readAtMs: number;
}

/** What live subjects name now, and how often each must be swept for them. */
export interface Interests {
  /** By repository: half the smallest staleness limit of the subjects that name it. */
  readonly named: ReadonlyMap<string, number>;
  /** The smallest of these. Infinite without one. */
  readonly shortestNamedMs: number;
  /** The same for subjects that mean the whole owner. Infinite without one. */
  readonly ownerMs: number;
}

/** The subject of all of an owner's repositories. */
export const allRepos = '*';

/** The key of the subject of these repositories. Without names, that of the whole owner. */
export function subjectKey(repos: readonly string[]): string {
  return repos.length === 0 ? allRepos : repos.join();
}

/** Two sweeps fit into the staleness limit, so that one may fail. */
function everyMs(maxStalenessMs: number): number {
  return Math.max(1000, maxStalenessMs / 2);
}

/** The live subjects: what they need swept, and which to wake. A subject that is not read for ten minutes is forgotten. */
export class Interest {
  /** By the key of the subject. */
  private readonly needs = new Map<string, Need>();
  private readonly byName = new Map<string, Set<string>>();
  private interests: Interests | undefined;
  private lookAtMs = 0;
  private names = 0;

  /** Returns true if this need is new, or more frequent than before. */
  need(repos: readonly string[], nowMs: number, maxStalenessMs = Number.POSITIVE_INFINITY): boolean {
    if (nowMs >= this.lookAtMs) this.forget(nowMs);
    const key = subjectKey(repos);
    const known = this.needs.get(key) ?? this.add(key, repos);
    if (known === undefined) return false;
    const isSooner = maxStalenessMs < known.maxStalenessMs || known.readAtMs === Number.NEGATIVE_INFINITY;
    if (maxStalenessMs !== known.maxStalenessMs) this.interests = undefined;
    known.maxStalenessMs = maxStalenessMs;
    known.readAtMs = nowMs;
    return isSooner;
  }

  /** The keys of the subjects that name one of these, or mean the whole owner. */
  holding(names: Iterable<string>): ReadonlySet<string> {
    const keys = new Set<string>(this.needs.has(allRepos) ? [allRepos] : []);
    for (const name of names) for (const key of this.byName.get(name) ?? []) keys.add(key);
    return keys;
  }

  /** The keys of all subjects. */
  all(): Iterable<string> {
    return this.needs.keys();
  }

  at(nowMs: number): Interests {
    if (nowMs >= this.lookAtMs) this.forget(nowMs);
    this.interests ??= this.sumUp();
    return this.interests;
  }

  private sumUp(): Interests {
    const named = new Map<string, number>();
    let ownerMs = Number.POSITIVE_INFINITY;
    let shortestNamedMs = Number.POSITIVE_INFINITY;
    for (const { repos, maxStalenessMs } of this.needs.values()) {
      const wantedMs = everyMs(maxStalenessMs);
      if (repos.length === 0) ownerMs = Math.min(ownerMs, wantedMs);
      else shortestNamedMs = Math.min(shortestNamedMs, wantedMs);
      for (const repo of repos) named.set(repo, Math.min(named.get(repo) ?? wantedMs, wantedMs));
    }
    return { named, shortestNamedMs, ownerMs };
  }

  private add(key: string, repos: readonly string[]): Need | undefined {
    if (this.needs.size >= maxNeeds || this.names + repos.length > maxNames) return undefined;
    const need = {
      repos,
      maxStalenessMs: Number.POSITIVE_INFINITY,
      readAtMs: Number.NEGATIVE_INFINITY,
    };
    this.needs.set(key, need);
    this.names += repos.length;
    for (const repo of repos) this.byName.set(repo, (this.byName.get(repo) ?? new Set()).add(key));
    this.interests = undefined;
    return need;
  }

  private forget(nowMs: number): void {
    this.lookAtMs = nowMs + lookEveryMs;
    for (const [key, { repos, readAtMs }] of this.needs) {
      if (nowMs - readAtMs <= forgottenAfterMs) continue;
      this.interests = undefined;
      this.needs.delete(key);
      this.names -= repos.length;
      for (const repo of repos) {
        const keys = this.byName.get(repo);
        keys?.delete(key);
        if (keys?.size === 0) this.byName.delete(repo);
      }
    }
  }
}
