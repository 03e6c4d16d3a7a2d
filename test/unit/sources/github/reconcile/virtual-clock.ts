import type { SetTimer } from '../../../../../src/sources/github/reconcile/nap.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Time that only passes on demand. */
export class VirtualClock {
  nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);
  private readonly timers = new Set<Timer>();

  readonly now = (): number => this.nowMs;

  readonly setTimer: SetTimer = (callback, ms) => {
    const timer = { atMs: this.nowMs + ms, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  };

  /** How many timers are set. */
  get pending(): number {
    return this.timers.size;
  }

  /** Passes time, and runs each timer at its own time. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await settled();
    for (let next = this.earliest(untilMs); next; next = this.earliest(untilMs)) {
      this.timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
      await settled();
    }
    this.nowMs = untilMs;
  }

  private earliest(untilMs: number): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.timers)
      if (timer.atMs <= untilMs && timer.atMs < (earliest?.atMs ?? Infinity)) earliest = timer;
    return earliest;
  }
}

/** Resolves after all promises that can be resolved now. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
