/** A value whose changes REST shows only after some time. Webhooks report them at once. */
export class Lagged<T> {
  private value: T;
  private older: { value: T; untilMs: number }[] = [];

  constructor(value: T) {
    this.value = value;
  }

  get now(): T {
    return this.value;
  }

  set(value: T, nowMs: number, lagMs: number): void {
    if (lagMs > 0) this.older.push({ value: this.value, untilMs: nowMs + lagMs });
    this.value = value;
  }

  /** The value that REST shows. */
  seen(nowMs: number): T {
    if (this.older.length === 0) return this.value;
    this.older = this.older.filter(({ untilMs }) => untilMs > nowMs);
    const oldest = this.older[0];
    return oldest === undefined ? this.value : oldest.value;
  }
}
