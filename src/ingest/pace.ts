import { setTimeout } from 'node:timers/promises';

export interface PaceOptions {
  readonly perSecond: number;
  /** How much may come at once before anybody waits; nothing by default. */
  readonly burst?: number;
  /** The longest wait. Beyond it the pace is not kept. Without a bound by default. */
  readonly mostWaitMs?: number;
  /** In ms, monotonic. */
  readonly now?: () => number;
}

/** So much a second of something. Those who come when it is spent wait for their turn. */
export class Pace {
  private readonly perMs: number;
  private readonly burstMs: number;
  private readonly mostWaitMs: number;
  private readonly now: () => number;
  /** When everything taken so far is paid for. */
  private freeAtMs = Number.NEGATIVE_INFINITY;

  constructor({ perSecond, burst = 0, mostWaitMs = Infinity, now = () => performance.now() }: PaceOptions) {
    this.perMs = perSecond / 1000;
    this.burstMs = burst / this.perMs;
    this.mostWaitMs = mostWaitMs;
    this.now = now;
  }

  /** How long the last one who took something waits, in ms. */
  get waitMs(): number {
    return Math.max(0, this.freeAtMs - this.now());
  }

  /** Takes `amount`. Returns how long to wait for it, in ms. */
  take(amount: number): number {
    const nowMs = this.now();
    const freeAtMs = Math.max(nowMs - this.burstMs, this.freeAtMs) + amount / this.perMs;
    this.freeAtMs = Math.min(freeAtMs, nowMs + this.mostWaitMs);
    return Math.max(0, this.freeAtMs - nowMs);
  }

  /** Takes `amount`, and resolves when its time has come. */
  async passed(amount: number): Promise<void> {
    const waitMs = this.take(amount);
    if (waitMs > 0) await setTimeout(waitMs);
  }
}

/** A sender with more events at once than in so many seconds waits. */
const burstSeconds = 5;
/** Senders wait so long, and are then told to come again. GitHub waits for 10 s. */
const longestWaitMs = 5_000;

/** So many events a second for each connection, whose senders wait alone. */
export class EventPaces {
  private perSecond = Number.POSITIVE_INFINITY;
  private readonly byConnection = new Map<string, Pace>();

  /** From now on. Connections that are gone are forgotten. */
  use(perSecond: number, connections: { has(name: string): boolean }): void {
    const isNew = perSecond !== this.perSecond;
    this.perSecond = perSecond;
    for (const name of [...this.byConnection.keys()])
      if (isNew || !connections.has(name)) this.byConnection.delete(name);
  }

  /** Resolves when so many more events may come; false, at once, where too many wait already. */
  async passed(connection: string, events: number): Promise<boolean> {
    const { perSecond } = this;
    const known = this.byConnection.get(connection);
    const pace = known ?? new Pace({ perSecond, burst: burstSeconds * perSecond });
    if (known === undefined) this.byConnection.set(connection, pace);
    if (pace.waitMs > longestWaitMs) return false;
    await pace.passed(events);
    return true;
  }
}
