const everyMs = 250;

/** Asks the source itself for the backlog, again and again, without the scaler. */
export class BacklogSampler {
  latest = 0;
  peak = 0;
  /** Since when the backlog has been empty. Undefined while it is not. */
  clearedAtMs: number | undefined = performance.now();
  private readonly look: () => Promise<number>;
  private readonly timer: NodeJS.Timeout;
  private asking = false;
  private additions = 0;

  constructor(look: () => Promise<number>) {
    this.look = look;
    this.timer = setInterval(() => void this.ask(), everyMs);
  }

  /** Work was added. The backlog counts as not empty until a later sample says otherwise. */
  added(): void {
    this.additions++;
    this.clearedAtMs = undefined;
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** A failed sample is ignored: during a rebalance a Kafka coordinator may refuse. */
  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const { additions } = this;
    try {
      this.latest = await this.look();
      this.peak = Math.max(this.peak, this.latest);
      if (this.latest > 0) this.clearedAtMs = undefined;
      else if (additions === this.additions) this.clearedAtMs ??= performance.now();
    } catch {
    } finally {
      this.asking = false;
    }
  }
}
