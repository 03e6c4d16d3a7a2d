/** How long a subject is woken after it was last read: monitors read much more often than this. */
const forgottenAfterMs = 10 * 60_000;
const lookForForgottenMs = 60_000;

/** The subjects that are read, and which of them an event of a repository wakes. */
export class LiveSubjects {
  private readonly readAtMs = new Map<string, number>();
  private readonly byRepo = new Map<string, Set<string>>();
  /** The keys of subjects that hold every repository. */
  private readonly ofAll = new Set<string>();
  private readonly reposOf = new Map<string, readonly string[]>();
  private lookAtMs = 0;

  /** A subject was read: it lives. Without repositories it holds them all. */
  read(key: string, repos: readonly string[], nowMs: number): void {
    this.readAtMs.set(key, nowMs);
    if (!this.reposOf.has(key)) this.add(key, repos);
    if (nowMs >= this.lookAtMs) this.forget(nowMs);
  }

  /** The keys of the subjects that hold this repository. */
  *holding(repo: string): Iterable<string> {
    yield* this.ofAll;
    yield* this.byRepo.get(repo) ?? [];
  }

  private add(key: string, repos: readonly string[]): void {
    this.reposOf.set(key, repos);
    if (repos.length === 0) this.ofAll.add(key);
    for (const repo of repos) this.byRepo.set(repo, (this.byRepo.get(repo) ?? new Set()).add(key));
  }

  private forget(nowMs: number): void {
    this.lookAtMs = nowMs + lookForForgottenMs;
    for (const [key, atMs] of this.readAtMs) if (nowMs - atMs > forgottenAfterMs) this.remove(key);
  }

  private remove(key: string): void {
    for (const repo of this.reposOf.get(key) ?? []) {
      const keys = this.byRepo.get(repo);
      keys?.delete(key);
      if (keys?.size === 0) this.byRepo.delete(repo);
    }
    this.ofAll.delete(key);
    this.reposOf.delete(key);
    this.readAtMs.delete(key);
  }
}
