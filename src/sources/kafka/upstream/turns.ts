import { ownTurn } from '../../../turns.ts';

/** How many subjects are worked on in one turn. */
export const subjectsInATurn = 1000;

/** How many answers are worked on in one turn: each goes on to its subject, its triggers and their streams. */
const answersInATurn = 100;

const answers = { left: answersInATurn, waiting: [] as (() => void)[], isTurnSet: false };

/** Resolves at once for the first hundred answers of a turn, for the others in the turns after it, in their order. */
export function answerTurn(): Promise<void> | undefined {
  setAnswerTurn();
  if (answers.left === 0) return new Promise((resolve) => answers.waiting.push(resolve));
  answers.left -= 1;
  return undefined;
}

function setAnswerTurn(): void {
  if (answers.isTurnSet) return;
  answers.isTurnSet = true;
  setImmediate(() => {
    answers.isTurnSet = false;
    const released = answers.waiting.splice(0, answersInATurn);
    answers.left = answersInATurn - released.length;
    if (released.length > 0) setAnswerTurn();
    for (const release of released) release();
  });
}

/** One thing asked for in a turn of the event loop. */
export interface Pending<I, O> {
  readonly item: I;
  resolve(answer: O | PromiseLike<O>): void;
  reject(reason: unknown): void;
}

/** The most partitions of one request. An item with more goes out alone. */
const mostPartitions = 20_000;
/** From so many on, they are encoded in a turn of their own. What a wake asks for is less, and goes out at once. */
const many = 100;

/**
 * Collects the requests of one turn of the event loop, so that they go out together. A thousand due subjects become one
 * request a broker, even where the answers that make them ask come in several turns. Beyond that, each following turn
 * sends a part. `run` settles every item; what it throws fails those it has not.
 */
export class TurnBatch<I, O> {
  private readonly run: (asked: readonly Pending<I, O>[]) => Promise<void>;
  private readonly partitionsOf: (item: I) => number;
  private asked: Pending<I, O>[] = [];

  /** `partitionsOf` says how many partitions an item's answer will be about. */
  constructor(
    run: (asked: readonly Pending<I, O>[]) => Promise<void>,
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
    if (this.isGrowing) {
      setImmediate(() => void this.flush());
      return;
    }
    const asked = this.take();
    if (this.asked.length > 0) setImmediate(() => void this.flush());
    try {
      if (asked.length >= many) await ownTurn();
      await this.run(asked);
    } catch (reason) {
      for (const { reject } of asked) reject(reason);
    }
  }

  /** Whether the rest of a large read is about to ask as well. */
  private get isGrowing(): boolean {
    const { length } = this.asked;
    return length >= many && length < subjectsInATurn && answers.waiting.length > 0;
  }

  /** What goes out now; at least one. */
  private take(): Pending<I, O>[] {
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
