/** For how long GitHub redelivers a webhook on request, and so how long an end must be remembered. */
const redeliveryMs = 72 * 3_600_000;

/** What is remembered by id for 72 h, within a bound in number. The oldest go first. */
export class Remembered<V extends { readonly atMs: number }> {
  private readonly limit: number;
  private readonly values = new Map<number, V>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get(id: number): V | undefined {
    return this.values.get(id);
  }

  /** What is set again counts as new. */
  set(id: number, value: V): void {
    this.values.delete(id);
    this.values.set(id, value);
    if (this.values.size > this.limit) this.dropOldest();
  }

  delete(id: number): void {
    this.values.delete(id);
  }

  entries(): Iterable<[number, V]> {
    return this.values;
  }

  /** Forgets what is older than 72 h. */
  forget(nowMs: number): void {
    for (const [id, { atMs }] of this.values) {
      if (nowMs - atMs <= redeliveryMs) return;
      this.values.delete(id);
    }
  }

  /** A tenth at a time: a Map steps over all that was deleted before its first entry, each time anew. */
  private dropOldest(): void {
    const keep = this.limit - Math.floor(this.limit / 10);
    for (const id of this.values.keys()) {
      if (this.values.size <= keep) return;
      this.values.delete(id);
    }
  }
}
