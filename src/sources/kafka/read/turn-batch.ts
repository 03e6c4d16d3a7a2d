/** One thing asked for in a turn of the event loop. */
export interface Asked<I, O> {
  readonly item: I;
  resolve(answer: O | PromiseLike<O>): void;
  reject(reason: unknown): void;
}

/**
 * Collects what is asked for in one turn of the event loop, so that it goes out together: a thousand subjects
 * that are due at once become one request a broker. `run` settles every item; what it throws fails those it
 * has not.
 */
export class TurnBatch<I, O> {
  private readonly run: (asked: readonly Asked<I, O>[]) => Promise<void>;
  private asked: Asked<I, O>[] = [];

  constructor(run: (asked: readonly Asked<I, O>[]) => Promise<void>) {
    this.run = run;
  }

  ask(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.asked.push({ item, resolve, reject });
      if (this.asked.length === 1) setImmediate(() => void this.flush());
    });
  }

  private async flush(): Promise<void> {
    const asked = this.asked;
    this.asked = [];
    try {
      await this.run(asked);
    } catch (reason) {
      for (const { reject } of asked) reject(reason);
    }
  }
}
