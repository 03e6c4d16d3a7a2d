/** What the triggers of one subject need of it, counted: equal needs are one, and go with their last trigger. */
export class Needs {
  private readonly counted = new Map<string, { need: unknown; count: number }>();

  /** True when no trigger has asked for this before. */
  add(need: unknown): boolean {
    const key = keyOf(need);
    const entry = this.counted.get(key);
    if (entry) entry.count += 1;
    else this.counted.set(key, { need, count: 1 });
    return !entry;
  }

  remove(need: unknown): void {
    const key = keyOf(need);
    const entry = this.counted.get(key);
    if (!entry) return;
    entry.count -= 1;
    if (entry.count === 0) this.counted.delete(key);
  }

  distinct(): readonly unknown[] {
    return [...this.counted.values()].map(({ need }) => need);
  }
}

/** Needs are plain data. */
function keyOf(need: unknown): string {
  return JSON.stringify(need) ?? '';
}
