/** At SNS's highest rates this is seconds; what is forgotten and comes again is one hint too many. */
const maxRemembered = 10_000;

/** What has been taken already: SNS sends again what it takes for lost, and anybody can send again what they have seen. */
export class Seen {
  private readonly keys = new Set<string>();

  has(key: string): boolean {
    return this.keys.has(key);
  }

  /** False: it was there. */
  add(key: string): boolean {
    if (this.keys.has(key)) return false;
    this.keys.add(key);
    for (const oldest of this.keys) {
      if (this.keys.size <= maxRemembered) break;
      this.keys.delete(oldest);
    }
    return true;
  }

  delete(key: string): void {
    this.keys.delete(key);
  }
}
