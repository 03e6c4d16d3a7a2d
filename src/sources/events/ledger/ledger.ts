import type { ItemFact } from '../fact.ts';
import { type Item, join } from './item.ts';
import { RecentlyHeard } from './recently-heard.ts';

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

const none: Counts = { queued: 0, running: 0 };

/**
 * Work items by backlog and key. Events of an item may come in any order and more than once: what they come to
 * is the same. All times are in ms since 1970 by our clock: what a sender's clock says is not looked at.
 */
export class Ledger {
  /** How many items were left out because there were too many. */
  refusals = 0;
  private readonly limits: LedgerLimits;
  private readonly open = new RecentlyHeard<Item>();
  private readonly finished = new RecentlyHeard<Item>();
  private readonly tally = new Map<string, Counts>();
  private clockMs = 0;

  constructor(limits: LedgerLimits) {
    this.limits = limits;
  }

  counts(backlog: string): Counts {
    return this.tally.get(backlog) ?? none;
  }

  /** Takes what was heard at `receivedAtMs`. Returns the backlogs that now have other counts. */
  take(fact: ItemFact, receivedAtMs: number): ReadonlySet<string> {
    const changed = this.expire(receivedAtMs);
    const { backlog, key, state, attempt } = fact;
    const name = `${backlog}/${key}`;
    const known = this.open.get(name) ?? this.finished.get(name);
    const heard: Item = { backlog, key, state, attempt };
    if (known === undefined && !this.makeRoom()) return changed;
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
    if (this.finished.size === 0) {
      this.refusals += 1;
      return false;
    }
    this.finished.deleteOldest();
    return true;
  }

  /** Tells whether a count has changed. */
  private count(before: Item | undefined, after: Item | undefined): boolean {
    if (before?.state === after?.state) return false;
    const was = this.add(before, -1);
    const is = this.add(after, 1);
    return was || is;
  }

  private add(item: Item | undefined, step: 1 | -1): boolean {
    if (item === undefined || item.state === 'finished') return false;
    const { queued, running } = this.counts(item.backlog);
    this.tally.set(
      item.backlog,
      item.state === 'queued' ? { queued: queued + step, running } : { queued, running: running + step },
    );
    return true;
  }
}
