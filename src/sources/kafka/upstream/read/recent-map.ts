const sweepEveryMs = 60_000;

interface Entry<V> {
  value: V;
  usedAtMs: number;
}

export interface RecentMapOptions {
  /** What nobody asked for in this time is dropped. */
  idleMs: number;
  /** The most entries kept; beyond it the oldest go. */
  limit: number;
  now: () => number;
}

/**
 * A Map with a bound in time and in number. It sweeps as it is used, so that it needs no timer. Not `lru-cache`: that
 * reserves the room of its `max` at once, 4 MiB for the 100,000 groups or topics that each of these may hold.
 */
export class RecentMap<K, V> {
  private readonly entries = new Map<K, Entry<V>>();
  private readonly options: RecentMapOptions;
  private sweptAtMs: number;

  constructor(options: RecentMapOptions) {
    this.options = options;
    this.sweptAtMs = options.now();
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    entry.usedAtMs = Math.floor(this.options.now());
    return entry.value;
  }

  /** As `get`, but does not count as a use. */
  peek(key: K): V | undefined {
    return this.entries.get(key)?.value;
  }

  set(key: K, value: V): void {
    // A whole number is kept in its place, any other in an object of its own.
    const nowMs = Math.floor(this.options.now());
    this.entries.set(key, { value, usedAtMs: nowMs });
    if (nowMs - this.sweptAtMs >= sweepEveryMs) this.sweep(nowMs);
    if (this.entries.size > this.options.limit) this.dropOldest();
  }

  delete(key: K): void {
    this.entries.delete(key);
  }

  private sweep(nowMs: number): void {
    this.sweptAtMs = nowMs;
    for (const [key, { usedAtMs }] of this.entries) {
      if (nowMs - usedAtMs > this.options.idleMs) this.entries.delete(key);
    }
  }

  private dropOldest(): void {
    for (const key of this.entries.keys()) {
      this.entries.delete(key);
      return;
    }
  }
}
