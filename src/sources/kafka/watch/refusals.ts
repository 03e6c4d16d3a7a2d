const mostKeys = 10_000;

/** What said no, and for how long it is not asked again. */
export class Refusals {
  private readonly untilMs = new Map<string, number>();

  /** True when this is news: the key was not refused before, or was cleared since. */
  refuse(key: string, forMs: number): boolean {
    const isNews = !this.untilMs.delete(key);
    this.untilMs.set(key, performance.now() + forMs);
    if (this.untilMs.size > mostKeys) this.dropOldest();
    return isNews;
  }

  isRefused(key: string): boolean {
    const untilMs = this.untilMs.get(key);
    return untilMs !== undefined && performance.now() < untilMs;
  }

  /** True when the key was refused, however long ago. */
  clear(key: string): boolean {
    return this.untilMs.delete(key);
  }

  private dropOldest(): void {
    for (const oldest of this.untilMs.keys()) {
      this.untilMs.delete(oldest);
      return;
    }
  }
}
