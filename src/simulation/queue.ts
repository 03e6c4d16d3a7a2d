/** A replica that needs longer than this for an item has one at a time; a faster one is a flow. */
const singleSeconds = 5;
/** To so many parts of a second it is known then when an item is done: two powers make sums exact, and steps few. */
const partsOfSecond = 64;
/** What only arithmetic has left is nothing. */
const least = 1e-6;

interface Batch {
  readonly at: number;
  items: number;
}

/**
 * Items that wait, first in, first out, for replicas that take so many a second. An item waits until a replica takes it. All
 * times are seconds of one clock, and go forward.
 */
export class Queue {
  readonly waits = new Waits();
  /** Items that are done. */
  consumed = 0;
  private readonly replicaRate: number;
  /** Of one item. Undefined for a flow. */
  private readonly itemSeconds: number | undefined;
  private batches: Batch[] = [];
  private head = 0;
  private waiting = 0;
  /** What is being worked on, by when it is done. */
  private working: { readonly until: number; readonly items: number }[] = [];
  private busy = 0;

  /** `replicaRate`: items a second of one replica. */
  constructor(replicaRate: number) {
    this.replicaRate = replicaRate;
    const itemSeconds = Math.round(partsOfSecond / replicaRate) / partsOfSecond;
    this.itemSeconds = itemSeconds > singleSeconds ? itemSeconds : undefined;
  }

  /** Whole items, as a source counts them: those that wait, and those that are worked on. */
  get backlog(): number {
    return Math.ceil(this.waiting - least) + this.busy;
  }

  /** How long the oldest item has been waiting. */
  oldestSeconds(now: number): number {
    const first = this.batches[this.head];
    return first === undefined ? 0 : now - first.at;
  }

  add(items: number, at: number): void {
    if (items <= 0) return;
    this.batches.push({ at, items });
    this.waiting += items;
  }

  /** The replicas work from one time to another. */
  serve(replicas: number, from: number, to: number): void {
    const { itemSeconds, replicaRate } = this;
    if (itemSeconds === undefined) this.serveFlow(replicas * replicaRate, from, to);
    else this.serveSingly(replicas, itemSeconds, from, to);
  }

  /** What still waits has waited until now, at least. Returns how many items these are. */
  giveUp(now: number): number {
    const left = Math.max(0, Math.ceil(this.waiting - least));
    this.take(this.waiting, now, 0);
    return left;
  }

  private serveFlow(perSecond: number, from: number, to: number): void {
    const items = Math.min(this.waiting, perSecond * (to - from));
    if (items <= 0) return;
    this.take(items, from, 1 / perSecond);
    this.consumed += items;
  }

  /** A replica that is taken away while it works ends its item. */
  private serveSingly(replicas: number, itemSeconds: number, from: number, to: number): void {
    let now = from;
    for (;;) {
      let done = 0;
      while ((this.working[done]?.until ?? Number.POSITIVE_INFINITY) <= now) done += 1;
      for (const { items } of this.working.splice(0, done)) {
        this.busy -= items;
        this.consumed += items;
      }
      const items = Math.min(Math.max(0, replicas - this.busy), Math.ceil(this.waiting - least));
      if (items > 0) {
        this.take(items, now, 0);
        this.busy += items;
        this.working.push({ until: now + itemSeconds, items });
      }
      const next = this.working[0]?.until ?? to;
      if (next >= to) return;
      now = next;
    }
  }

  /** Takes the oldest items, one after `secondsEach` of the one before. */
  private take(items: number, from: number, secondsEach: number): void {
    let [left, now] = [items, from];
    while (left > 0) {
      const first = this.batches[this.head];
      if (first === undefined) break;
      const part = Math.min(left, first.items);
      const until = now + part * secondsEach;
      this.waits.add(part, now - first.at, until - first.at);
      first.items -= part;
      left -= part;
      now = until;
      if (first.items <= least) this.head += 1;
    }
    this.waiting -= items;
    if (this.waiting <= least) {
      this.waiting = 0;
      this.head = this.batches.length;
    }
    if (this.head * 2 >= this.batches.length) {
      this.batches = this.batches.slice(this.head);
      this.head = 0;
    }
  }
}

/** How long items waited: pieces of a flow, within which the wait goes evenly from one number to another. */
export class Waits {
  private readonly items: number[] = [];
  private readonly from: number[] = [];
  private readonly to: number[] = [];
  private sum = 0;

  add(items: number, fromSeconds: number, toSeconds: number): void {
    const last = this.items.length - 1;
    this.sum += items;
    if (fromSeconds === toSeconds && this.from[last] === fromSeconds && this.to[last] === toSeconds) {
      this.items[last] = (this.items[last] ?? 0) + items;
      return;
    }
    this.items.push(items);
    this.from.push(fromSeconds);
    this.to.push(toSeconds);
  }

  /** Items. */
  get total(): number {
    return this.sum;
  }

  get worstSeconds(): number {
    return this.to.reduce((most, seconds) => Math.max(most, seconds), 0);
  }

  /** Which part of the items, from 0 to 1, waited longer. */
  partAbove(seconds: number): number {
    if (this.sum === 0) return 0;
    let above = 0;
    for (const [i, items] of this.items.entries()) {
      const [from, to] = [this.from[i] ?? 0, this.to[i] ?? 0];
      if (from > seconds) above += items;
      else if (to > seconds) above += (items * (to - seconds)) / (to - from);
    }
    return above / this.sum;
  }

  /** The least wait that is not exceeded by more than the rest: of 0.99 that which 1 % exceed. To a thousandth of a second. */
  quantileSeconds(part: number): number {
    let [low, high] = [0, this.worstSeconds];
    const rest = 1 - part + 1e-9;
    if (this.partAbove(0) <= rest) return 0;
    while (high - low > 0.0005) {
      const middle = (low + high) / 2;
      if (this.partAbove(middle) > rest) low = middle;
      else high = middle;
    }
    return high;
  }
}
