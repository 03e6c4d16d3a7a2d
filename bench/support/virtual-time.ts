import { setImmediate as nextTick } from 'node:timers/promises';

interface Timer {
  readonly atMs: number;
  readonly act: () => void;
}

/** A clock that jumps to the next event, so that hours take seconds. Real work (requests over HTTP) takes no time on it. */
export class VirtualTime {
  /** How many loops are under measurement. */
  loops = 1;
  private nowMs = Date.now();
  private readonly plans = new Set<Timer>();
  private readonly sleeps = new Set<Timer>();

  readonly now = (): number => this.nowMs;

  /** For a loop under measurement. Such a loop is at rest if and only if it sleeps. */
  readonly setTimer = (act: () => void, ms: number): (() => void) => {
    const sleep = { atMs: this.nowMs + ms, act };
    this.sleeps.add(sleep);
    return () => this.sleeps.delete(sleep);
  };

  /** For the world around it. */
  after(ms: number, act: () => void): void {
    this.plans.add({ atMs: this.nowMs + ms, act });
  }

  every(ms: number, act: () => void): void {
    this.after(ms, () => {
      act();
      this.every(ms, act);
    });
  }

  /** `settled` resolves when the world is at rest. */
  async run(durationMs: number, settled: () => Promise<void>): Promise<void> {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      await settled();
      const next = first([...this.plans, ...this.sleeps]);
      if (next === undefined || next.atMs > endMs) break;
      this.plans.delete(next);
      this.sleeps.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.act();
    }
    this.nowMs = endMs;
  }

  /** Resolves when the loops under measurement sleep. */
  async asleep(): Promise<void> {
    while (this.sleeps.size < this.loops) await nextTick();
  }
}

function first(timers: readonly Timer[]): Timer | undefined {
  return timers.reduce<Timer | undefined>(
    (soonest, timer) => (soonest === undefined || timer.atMs < soonest.atMs ? timer : soonest),
    undefined,
  );
}
