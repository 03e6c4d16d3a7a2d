/** Remembers names for a time, and no more than so many. */
export class ExpiringSet {
  private readonly untilMs = new Map<string, number>();
  private readonly keepMs: number;
  private readonly limit: number;

  constructor(keepMs: number, limit: number) {
    this.keepMs = keepMs;
    this.limit = limit;
  }

  has(name: string, nowMs: number): boolean {
    const untilMs = this.untilMs.get(name);
    if (untilMs === undefined) return false;
    if (nowMs < untilMs) return true;
    this.untilMs.delete(name);
    return false;
  }

  add(name: string, nowMs: number): void {
    this.untilMs.delete(name);
    this.untilMs.set(name, nowMs + this.keepMs);
    const [oldest] = this.untilMs.keys();
    if (this.untilMs.size > this.limit && oldest !== undefined) this.untilMs.delete(oldest);
  }
}
