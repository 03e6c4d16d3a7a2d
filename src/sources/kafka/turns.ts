import { setImmediate as nextTurn } from 'node:timers/promises';

/*
 * What is done for a thousand subjects at once takes ten milliseconds. It is done in a turn of the event loop of its
 * own, so that RPCs are answered, and records wake, in between.
 */

/** How many subjects are worked on in one turn. */
export const subjectsInATurn = 1000;

let last: Promise<void> = Promise.resolve();

/** Resolves in a turn of the event loop in which nobody else who asked for one is told. */
export function ownTurn(): Promise<void> {
  last = last.then(() => nextTurn());
  return last;
}

/** The list in parts of `size`, each in a turn of its own but the first, which comes at once. */
export async function* inTurns<T>(list: readonly T[], size = subjectsInATurn): AsyncGenerator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) {
    if (at > 0) await ownTurn();
    yield list.slice(at, at + size);
  }
}
