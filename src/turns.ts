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
