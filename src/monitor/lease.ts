/** How long a trigger is kept without being asked for: KEDA has no call that says a ScaledObject is gone. */
export class Lease {
  private readonly leaseMs: number;
  private lastCallMs: number;
  private longestGapMs: number;
  private holds = 0;

  constructor(leaseMs: number, nowMs: number, lastCallMs = nowMs) {
    this.leaseMs = leaseMs;
    this.longestGapMs = nowMs - lastCallMs;
    this.lastCallMs = nowMs;
  }

  renew(nowMs: number): void {
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastCallMs);
    this.lastCallMs = nowMs;
  }

  /** An open stream holds the lease until it calls the returned function. */
  hold(now: () => number): () => void {
    this.holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.holds -= 1;
      this.lastCallMs = now();
    };
  }

  get lastCalledAtMs(): number {
    return this.lastCallMs;
  }

  expired(nowMs: number): boolean {
    return this.holds === 0 && nowMs - this.lastCallMs > Math.max(this.leaseMs, 3 * this.longestGapMs);
  }
}
