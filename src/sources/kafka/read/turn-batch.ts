import { ownTurn, subjectsInATurn } from '../turns.ts';

/** One thing asked for in a turn of the event loop. */
export interface Asked<I, O> {
  readonly item: I;
  resolve(answer: O | PromiseLike<O>): void;
  reject(reason: unknown): void;
}

/** The most partitions that are asked for together; an item that has more goes out alone. */
const mostPartitions = 20_000;
/** From so many on, they are encoded in a turn of their own. What a wake asks for is less, and goes out at once. */
const many = 100;

/**
 * Collects what is asked for in one turn of the event loop, so that it goes out together: a thousand subjects
 * that are due at once become one request a broker. More than that goes out in the turns after, a part in each,
 * since every answer is worked off in one. `run` settles every item; what it throws fails those it has not.
 */
export class TurnBatch<I, O> {
  private readonly run: (asked: readonly Asked<I, O>[]) => Promise<void>;
  private readonly partitionsOf: (item: I) => number;
  private asked: Asked<I, O>[] = [];

  /** `partitionsOf` says how many partitions an item's answer will be about. */
  constructor(
    run: (asked: readonly Asked<I, O>[]) => Promise<void>,
    partitionsOf: (item: I) => number = () => 1,
  ) {
    this.run = run;
    this.partitionsOf = partitionsOf;
  }

  ask(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.asked.push({ item, resolve, reject });
      if (this.asked.length === 1) setImmediate(() => void this.flush());
    });
  }

  private async flush(): Promise<void> {
    const asked = this.take();
    if (this.asked.length > 0) setImmediate(() => void this.flush());
    try {
      if (asked.length >= many) await ownTurn();
      await this.run(asked);
    } catch (reason) {
      for (const { reject } of asked) reject(reason);
    }
  }

  /** What goes out now; at least one. */
  private take(): Asked<I, O>[] {
    let count = 0;
    let partitions = 0;
    for (const { item } of this.asked) {
      partitions += this.partitionsOf(item);
      if (count > 0 && (partitions > mostPartitions || count === subjectsInATurn)) break;
      count += 1;
    }
    const taken = this.asked.slice(0, count);
    this.asked = this.asked.slice(count);
    return taken;
  }
}
