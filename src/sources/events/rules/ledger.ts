import { type ItemFact, itemStates } from './fact.ts';

export interface Counts {
  readonly queued: number;
  readonly running: number;
}

export interface LedgerLimits {
  /** How long an item is believed in after its last event, in ms; and how long it is known to be finished. */
  readonly ttlMs: number;
  /** The most items that are held, with the finished ones. */
  readonly maxItems: number;
}

/** The open items of one backlog. */
interface Tally {
  /** The keys of queued items, and since when. The oldest is first. */
  readonly queued: Map<string, number>;
  running: number;
  /** When there was last no room for an open one. */
  refusedAtMs: number;
}

/**
 * Work items by backlog and key. Events of an item may come in any order and more than once: what they come to
 * is the same. All times are in ms since 1970 by our clock. What a sender's clock says only tells an event that is sent
 * again long after: it opens nothing.
 */
export class Ledger {
  /** How many items were left out because there were too many. */
  refusals = 0;
  /** How many events opened nothing because they had happened longer ago than the TTL when they came. */
  outdated = 0;
  private readonly limits: LedgerLimits;
  private readonly open = new RecentlyHeard<Item>();
  private readonly finished = new RecentlyHeard<Item>();
  private readonly tallies = new Map<string, Tally>();
  private clockMs = 0;

  constructor(limits: LedgerLimits) {
    this.limits = limits;
  }

  counts(backlog: string): Counts {
    const { queued, running = 0 } = this.tallies.get(backlog) ?? {};
    return { queued: queued?.size ?? 0, running };
  }

  /** When the item that has been queued for longest was first heard to be; undefined where none is. In ms since 1970. */
  queuedSinceMs(backlog: string): number | undefined {
    const [oldest] = this.tallies.get(backlog)?.queued.values() ?? [];
    return oldest;
  }

  /** Whether an item that may still be open had no room. */
  lacks(backlog: string): boolean {
    const { refusedAtMs = Number.NEGATIVE_INFINITY } = this.tallies.get(backlog) ?? {};
    return refusedAtMs >= this.clockMs - this.limits.ttlMs;
  }

  /** Takes what was heard at `receivedAtMs`. Returns the backlogs that now have other counts. */
  take(fact: ItemFact, receivedAtMs: number): ReadonlySet<string> {
    const changed = this.expire(receivedAtMs);
    const { backlog, key, state, attempt, atMs = receivedAtMs } = fact;
    if (state !== 'finished' && atMs < receivedAtMs - this.limits.ttlMs) {
      this.outdated += 1;
      return changed;
    }
    const name = `${backlog}/${key}`;
    const known = this.open.get(name) ?? this.finished.get(name);
    const heard: Item = { backlog, key, state, attempt };
    if (known === undefined && !this.makeRoom()) return this.refuse(heard) ? changed.add(backlog) : changed;
    const item = known === undefined ? heard : join(known, heard);
    this.put(name, item);
    return this.count(known, item) ? changed.add(backlog) : changed;
  }

  /** Forgets those that nothing was heard of for the TTL. Returns the backlogs that now have other counts. */
  expire(nowMs: number): Set<string> {
    // Never back: the order in which items were heard of is the order in which they expire.
    this.clockMs = Math.max(this.clockMs, nowMs);
    const before = this.clockMs - this.limits.ttlMs;
    for (const _ of this.finished.takeBefore(before));
    const changed = new Set<string>();
    for (const item of this.open.takeBefore(before)) {
      this.count(item, undefined);
      changed.add(item.backlog);
    }
    return changed;
  }

  private put(name: string, item: Item): void {
    const [to, from] = item.state === 'finished' ? [this.finished, this.open] : [this.open, this.finished];
    from.delete(name);
    to.set(name, item, this.clockMs);
  }

  private makeRoom(): boolean {
    if (this.open.size + this.finished.size < this.limits.maxItems) return true;
    if (this.finished.size === 0) return false;
    this.finished.deleteOldest();
    return true;
  }

  /** Tells whether the backlog has lacked nothing before. The end of an unknown item changes no number. */
  private refuse({ backlog, state }: Item): boolean {
    this.refusals += 1;
    if (state === 'finished') return false;
    const isNews = !this.lacks(backlog);
    this.tallyOf(backlog).refusedAtMs = this.clockMs;
    return isNews;
  }

  /** Tells whether a count has changed. */
  private count(before: Item | undefined, after: Item | undefined): boolean {
    if (before?.state === after?.state && before?.attempt === after?.attempt) return false;
    const was = this.drop(before);
    const is = this.add(after);
    return before?.state !== after?.state && (was || is);
  }

  private drop(item: Item | undefined): boolean {
    if (item === undefined || item.state === 'finished') return false;
    const tally = this.tallyOf(item.backlog);
    if (item.state === 'queued') tally.queued.delete(item.key);
    else tally.running -= 1;
    return true;
  }

  private add(item: Item | undefined): boolean {
    if (item === undefined || item.state === 'finished') return false;
    const tally = this.tallyOf(item.backlog);
    // Behind those before it, since the clock never goes back.
    if (item.state === 'queued') tally.queued.set(item.key, this.clockMs);
    else tally.running += 1;
    return true;
  }

  private tallyOf(backlog: string): Tally {
    const tally = this.tallies.get(backlog) ?? {
      queued: new Map(),
      running: 0,
      refusedAtMs: Number.NEGATIVE_INFINITY,
    };
    this.tallies.set(backlog, tally);
    return tally;
  }
}

/** What is known of an item: greatest of what was heard. Never changed in place. */
export interface Item {
  readonly backlog: string;
  readonly key: string;
  readonly state: ItemFact['state'];
  readonly attempt: number;
}

/** Of a later attempt only its own events count; within one the furthest state does. */
export function join(a: Item, b: Item): Item {
  if (a.attempt !== b.attempt) return a.attempt > b.attempt ? a : b;
  return itemStates.indexOf(a.state) >= itemStates.indexOf(b.state) ? a : b;
}

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
