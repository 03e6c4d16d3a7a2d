import { setImmediate as nextTurn } from 'node:timers/promises';

/** How many triggers are worked on before the event loop gets its turn: well under a millisecond of work. */
export const turnSize = 50;

/** Goes over many things in turns, so that RPCs are answered in between. */
export async function* inTurns<T>(things: Iterable<T>): AsyncGenerator<T[]> {
  let turn: T[] = [];
  for (const thing of things) {
    turn.push(thing);
    if (turn.length < turnSize) continue;
    yield turn;
    turn = [];
    await nextTurn();
  }
  if (turn.length > 0) yield turn;
}
