import type { KafkaTopic } from './kafka-topic.ts';

const everyMs = 250;

/** Asks Kafka itself for the backlog, again and again, beside the scaler. */
export class BacklogSampler {
  latest = 0;
  peak = 0;
  /** Since when there has been no backlog; undefined while there is some. */
  clearedAtMs: number | undefined = performance.now();
  private readonly source: KafkaTopic;
  private readonly timer: NodeJS.Timeout;
  private asking = false;
  private appends = 0;

  constructor(source: KafkaTopic) {
    this.source = source;
    this.timer = setInterval(() => void this.ask(), everyMs);
  }

  /** Records were appended: there is a backlog until a sample that began after this says otherwise. */
  appended(): void {
    this.appends++;
    this.clearedAtMs = undefined;
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** A sample that fails is left out: during a rebalance the coordinator may refuse. */
  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const { appends } = this;
    try {
      this.latest = await this.source.backlog();
      this.peak = Math.max(this.peak, this.latest);
      if (this.latest > 0) this.clearedAtMs = undefined;
      else if (appends === this.appends) this.clearedAtMs ??= performance.now();
    } catch {
    } finally {
      this.asking = false;
    }
  }
}
