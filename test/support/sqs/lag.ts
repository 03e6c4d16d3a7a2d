import { setInterval } from 'node:timers/promises';

type Attributes = Readonly<Record<string, string>>;

const sampleMs = 50;

/** A queue's counts as they were some time ago. SQS itself only promises "at least 1 minute". */
export class Lag {
  private readonly lagMs: number;
  private readonly samples: { readonly atMs: number; readonly attributes: Attributes }[] = [];
  private readonly ended = new AbortController();

  /** Resolves when the first counts are known. They are the answer until newer ones have aged. */
  static async start(lagMs: number, look: () => Promise<Attributes>): Promise<Lag> {
    const lag = new Lag(lagMs);
    lag.samples.push({ atMs: performance.now(), attributes: await look() });
    void lag.sample(look);
    return lag;
  }

  private constructor(lagMs: number) {
    this.lagMs = lagMs;
  }

  /** The newest counts that are old enough. */
  answer(): Attributes {
    const untilMs = performance.now() - this.lagMs;
    const oldest = this.samples[0];
    if (oldest === undefined) throw new Error('a lag begins with a sample');
    return this.samples.findLast(({ atMs }) => atMs <= untilMs)?.attributes ?? oldest.attributes;
  }

  end(): void {
    this.ended.abort();
  }

  private async sample(look: () => Promise<Attributes>): Promise<void> {
    const { signal } = this.ended;
    const ticks = setInterval(sampleMs, undefined, { signal });
    try {
      for await (const _ of ticks) {
        const untilMs = performance.now() - this.lagMs;
        while (this.samples[1] !== undefined && this.samples[1].atMs <= untilMs) this.samples.shift();
        this.samples.push({ atMs: performance.now(), attributes: await look() });
      }
    } catch (reason) {
      if (!signal.aborted) throw reason;
    }
  }
}
