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
  /** Those that wait, by name, and in the order of their turns. */
  private readonly askers = new Map<string, Asker>();
  private readonly order: Asker[] = [];
  private turn: NodeJS.Immediate | undefined;

  /** `perTurn`: after how much a turn ends. */
  constructor(perTurn: number) {
    this.perTurn = perTurn;
  }

  /** `act` must not throw. It returns how much it did; 0 where there was nothing left to do. */
  add(name: string, act: () => number): void {
    const known = this.askers.get(name);
    known?.acts.push(act);
    if (known !== undefined) return;
    const asker = { name, acts: [act], ahead: 0 };
    this.askers.set(name, asker);
    this.order.push(asker);
    this.turn ??= setImmediate(() => this.take());
  }

  private take(): void {
    let left = this.perTurn;
    while (left > 0) {
      const asker = this.order.shift();
      if (asker === undefined) break;
      asker.ahead = Math.max(0, asker.ahead - 1);
      if (asker.ahead === 0) {
        const did = asker.acts.shift()?.() ?? 0;
        asker.ahead = did;
        left -= did;
      }
      // It may have asked again meanwhile.
      if (asker.acts.length > 0) this.order.push(asker);
      else this.askers.delete(asker.name);
    }
    this.turn = this.order.length === 0 ? undefined : setImmediate(() => this.take());
  }
}

interface Asker {
  readonly name: string;
  readonly acts: (() => number)[];
  /** How much it has had that the others have not. */
  ahead: number;
}
