/** How long a trigger is kept without being asked for: KEDA has no call that says a ScaledObject is gone. */
export class Lease {
  private readonly leaseMs: number;
  private lastCallMs: number;
  private longestGapMs: number;

  constructor(leaseMs: number, nowMs: number, lastCallMs = nowMs) {
    this.leaseMs = leaseMs;
    this.longestGapMs = nowMs - lastCallMs;
    this.lastCallMs = nowMs;
  }

  renew(nowMs: number): void {
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastCallMs);
    this.lastCallMs = nowMs;
  }

  /** A stream was open until now. */
  held(nowMs: number): void {
    this.lastCallMs = nowMs;
  }

  get lastCalledAtMs(): number {
    return this.lastCallMs;
  }

  expired(nowMs: number): boolean {
    return nowMs - this.lastCallMs > Math.max(this.leaseMs, 3 * this.longestGapMs);
  }
}
