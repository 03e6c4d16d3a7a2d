const forgottenAfterMs = 600_000;
const lookEveryMs = 60_000;
/** As many as there may be triggers. */
const maxNeeds = 20_000;
/** Names of repositories in all of them. */
const maxNames = 50_000;

interface Need {
  readonly repos: readonly string[];
  readonly maxStalenessMs: number;
  askedAtMs: number;
}

/** What live triggers name now, and how often each must be swept for them. */
export interface Interests {
  /** By repository: half the smallest limit on staleness of those that name it. */
  readonly named: ReadonlyMap<string, number>;
  /** The smallest of them; infinite where there is none. */
  readonly shortestNamedMs: number;
  /** The same of those that want all of the owner; infinite where nobody does. */
  readonly ownerMs: number;
}

/** A reading is at most this old when a sweep fails once: two sweeps fit in its limit. */
function everyMs(maxStalenessMs: number): number {
  return Math.max(1000, maxStalenessMs / 2);
}

/** Remembers what subjects ask for; what is not asked for any more is forgotten after ten minutes. */
export class Interest {
  private readonly needs = new Map<string, Need>();
  private interests: Interests | undefined;
  private lookAtMs = 0;
  private names = 0;

  /** True when this was not asked for before, or is wanted more often than before. */
  need(repos: readonly string[], nowMs: number, maxStalenessMs = Number.POSITIVE_INFINITY): boolean {
    const key = repos.join(',');
    const known = this.needs.get(key);
    if (known?.maxStalenessMs === maxStalenessMs) {
      known.askedAtMs = nowMs;
      return false;
    }
    if (!known) {
      if (this.needs.size >= maxNeeds || this.names + repos.length > maxNames) return false;
      this.names += repos.length;
    }
    this.needs.set(key, { repos, maxStalenessMs, askedAtMs: nowMs });
    this.interests = undefined;
    return maxStalenessMs < (known?.maxStalenessMs ?? Number.POSITIVE_INFINITY) || !known;
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

  private forget(nowMs: number): void {
    this.lookAtMs = nowMs + lookEveryMs;
    this.interests = undefined;
    for (const [key, { repos, askedAtMs }] of this.needs) {
      if (nowMs - askedAtMs <= forgottenAfterMs) continue;
      this.needs.delete(key);
      this.names -= repos.length;
    }
  }
}
