/** Values by name, those that were heard of longest ago first. */
export class RecentlyHeard<T> {
  private readonly heard = new Map<string, { value: T; atMs: number }>();

  get size(): number {
    return this.heard.size;
  }

  get(name: string): T | undefined {
    return this.heard.get(name)?.value;
  }

  /** `atMs` is never less than in a call before. */
  set(name: string, value: T, atMs: number): void {
    // A name that is set again would stay where it was.
    this.heard.delete(name);
    this.heard.set(name, { value, atMs });
  }

  delete(name: string): void {
    this.heard.delete(name);
  }

  deleteOldest(): void {
    for (const name of this.heard.keys()) {
      this.heard.delete(name);
      return;
    }
  }

  /** Takes those away that were last heard of before `atMs`. */
  *takeBefore(atMs: number): Iterable<T> {
    for (const [name, { value, atMs: heardMs }] of this.heard) {
      if (heardMs >= atMs) return;
      this.heard.delete(name);
      yield value;
    }
  }
}
