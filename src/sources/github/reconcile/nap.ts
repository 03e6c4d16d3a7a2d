/** Calls back after `ms`. The result cancels it. */
export type SetTimer = (callback: () => void, ms: number) => () => void;

export const realTimer: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};

/** Node's timers take at most 2^31 ms. A wake once an hour is harmless. */
const longestMs = 3_600_000;

/** The sleep of a loop: until a time, or until work comes earlier. */
export class Nap {
  private readonly now: () => number;
  private readonly setTimer: SetTimer;
  private wake: (() => void) | undefined;
  private wakeAtMs = 0;
  private cancel: () => void = () => {};
  private closed = false;

  constructor(now: () => number, setTimer: SetTimer) {
    this.now = now;
    this.setTimer = setTimer;
  }

  async until(atMs: number): Promise<void> {
    if (this.closed) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      this.arm(atMs);
    });
  }

  /** Ends the sleep at `atMs`, if it would last longer. */
  wakeBy(atMs: number): void {
    if (!this.wake || atMs >= this.wakeAtMs) return;
    this.cancel();
    this.arm(atMs);
  }

  /** Ends the sleep, and any later one. */
  close(): void {
    this.closed = true;
    this.end();
  }

  private arm(atMs: number): void {
    this.wakeAtMs = atMs;
    const ms = Math.min(Math.max(0, atMs - this.now()), longestMs);
    this.cancel = this.setTimer(() => this.end(), ms);
  }

  private end(): void {
    this.cancel();
    const wake = this.wake;
    this.wake = undefined;
    wake?.();
  }
}
