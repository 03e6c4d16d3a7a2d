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
 * Does what many want at once, a part in each turn of the event loop, one of each asker after the other. Who has had much
 * waits until the others have had as much: a thousand of one asker, or a large one, hold up nobody else.
 */
export class FairTurns {
  private readonly perTurn: number;
  /** In the order of their turns. */
  private readonly askers = new Map<string, Asker>();
  private turn: NodeJS.Immediate | undefined;

  /** `perTurn`: after how much a turn ends. */
  constructor(perTurn: number) {
    this.perTurn = perTurn;
  }

  /** `act` must not throw. It returns how much it did; 0 where there was nothing left to do. */
  add(name: string, act: () => number): void {
    const asker = this.askers.get(name);
    if (asker === undefined) this.askers.set(name, { acts: [act], ahead: 0 });
    else asker.acts.push(act);
    this.turn ??= setImmediate(() => this.take());
  }

  private take(): void {
    let left = this.perTurn;
    for (const [name, asker] of this.askers) {
      // Behind all others, where this loop comes to it again.
      this.askers.delete(name);
      this.askers.set(name, asker);
      asker.ahead = Math.max(0, asker.ahead - 1);
      if (asker.ahead > 0) continue;
      const did = asker.acts.shift()?.() ?? 0;
      asker.ahead = did;
      left -= did;
      // It may have asked again.
      if (asker.acts.length === 0) this.askers.delete(name);
      if (left <= 0) break;
    }
    this.turn = this.askers.size === 0 ? undefined : setImmediate(() => this.take());
  }
}

interface Asker {
  readonly acts: (() => number)[];
  /** How much it has had that the others have not. */
  ahead: number;
}
