const forgottenAfterMs = 600_000;
const maxNeeds = 5_000;

interface Need {
  readonly repos: readonly string[];
  maxStalenessMs: number;
  askedAtMs: number;
}

/** What live triggers name now, and how often each must be swept for them. */
export interface Interests {
  /** By repository: half the smallest limit on staleness of those that name it. */
  readonly named: ReadonlyMap<string, number>;
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

  /** True when this was not asked for before, or is wanted more often than before. */
  need(repos: readonly string[], maxStalenessMs = Number.POSITIVE_INFINITY, nowMs: number): boolean {
    const key = repos.join(',');
    const known = this.needs.get(key);
    if (known) {
      const sooner = maxStalenessMs < known.maxStalenessMs;
      known.maxStalenessMs = maxStalenessMs;
      known.askedAtMs = nowMs;
      return sooner;
    }
    if (this.needs.size >= maxNeeds) this.forget(nowMs);
    if (this.needs.size >= maxNeeds) return false;
    this.needs.set(key, { repos, maxStalenessMs, askedAtMs: nowMs });
    return true;
  }

  at(nowMs: number): Interests {
    this.forget(nowMs);
    const named = new Map<string, number>();
    let ownerMs = Number.POSITIVE_INFINITY;
    for (const { repos, maxStalenessMs } of this.needs.values()) {
      const wantedMs = everyMs(maxStalenessMs);
      if (repos.length === 0) ownerMs = Math.min(ownerMs, wantedMs);
      for (const repo of repos) named.set(repo, Math.min(named.get(repo) ?? wantedMs, wantedMs));
    }
    return { named, ownerMs };
  }

  private forget(nowMs: number): void {
    for (const [key, { askedAtMs }] of this.needs)
      if (nowMs - askedAtMs > forgottenAfterMs) this.needs.delete(key);
  }
}
