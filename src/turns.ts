import { setImmediate as nextTurn } from 'node:timers/promises';

/*
 * What is done for a thousand things at once takes ten milliseconds. It is done over several turns of the event loop,
 * so that RPCs are answered, records wake, and others' webhooks are taken in between.
 */

let last: Promise<void> = Promise.resolve();

/** Resolves in a turn of the event loop that belongs to this caller alone. */
export function ownTurn(): Promise<void> {
  last = last.then(() => nextTurn());
  return last;
}

/** Things in parts of `size`, each in a turn of its own but the first, which comes at once. */
export async function* inTurns<T>(things: Iterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let part: T[] = [];
  for (const thing of things) {
    part.push(thing);
    if (part.length < size) continue;
    yield part;
    part = [];
    await ownTurn();
  }
  if (part.length > 0) yield part;
}

/** Runs steps to their end, each in a turn of its own but the first, which runs at once. */
export async function stepByStep<T>(steps: Iterator<unknown, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await ownTurn();
  }
}

/**
 * Begins what many want at once, a few in each turn of the event loop, one of each asker after the other. A thousand of one
 * asker hold up nobody else.
 */
export class FairTurns {
  private readonly perTurn: number;
  /** By asker, in the order of their turns. */
  private readonly waiting = new Map<string, (() => boolean)[]>();
  private turn: NodeJS.Immediate | undefined;

  constructor(perTurn: number) {
    this.perTurn = perTurn;
  }

  /** `begin` must not throw. It returns false where there was nothing left to do. */
  add(asker: string, begin: () => boolean): void {
    const queue = this.waiting.get(asker);
    if (queue === undefined) this.waiting.set(asker, [begin]);
    else queue.push(begin);
    this.turn ??= setImmediate(() => this.take());
  }

  private take(): void {
    let left = this.perTurn;
    for (const [asker, queue] of this.waiting) {
      this.waiting.delete(asker);
      const begin = queue.shift();
      // Behind all others, where this loop comes to it again.
      if (queue.length > 0) this.waiting.set(asker, queue);
      if (begin?.() === true) left -= 1;
      if (left === 0) break;
    }
    this.turn = this.waiting.size === 0 ? undefined : setImmediate(() => this.take());
  }
}
