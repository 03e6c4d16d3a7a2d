/** First in, first out, with a bound: where it is full, the oldest goes. */
export class BoundedQueue<T> {
  private items: T[] = [];
  /** Those before it are gone: taking one off the front of a long array would move all the others. */
  private head = 0;
  private max: number;

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.items.length - this.head;
  }

  /** Gives how many were dropped. */
  push(item: T): number {
    this.items.push(item);
    return this.drop();
  }

  /** The oldest, at most so many. */
  take(count: number): T[] {
    const taken = this.items.slice(this.head, this.head + count);
    this.forget(taken.length);
    return taken;
  }

  /** What was taken, before all others again; gives how many were dropped. */
  putBack(taken: readonly T[]): number {
    this.items = [...taken, ...this.items.slice(this.head)];
    this.head = 0;
    return this.drop();
  }

  /** Another bound; gives how many were dropped. */
  bound(max: number): number {
    this.max = max;
    return this.drop();
  }

  private drop(): number {
    const tooMany = Math.max(0, this.size - this.max);
    this.forget(tooMany);
    return tooMany;
  }

  private forget(count: number): void {
    this.head += count;
    if (this.head <= this.items.length / 2) return;
    this.items = this.items.slice(this.head);
    this.head = 0;
  }
}
