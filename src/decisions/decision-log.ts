import type { Logger } from '../telemetry/log.ts';
import type { Decision } from '../triggers/decision.ts';
import { dataOf } from './data.ts';
import { BoundedQueue } from './queue.ts';

/** How many lines are written before the event loop gets its turn: well under a millisecond of work. */
const turnSize = 50;
/** More than there are triggers: all may fail in one moment. */
const maxWaiting = 50_000;

/** Writes one line for each decision, after the turn that made it: a source that fails, fails for thousands at once. */
export class DecisionLog {
  private readonly log: Logger;
  private readonly onDropped: (decisions: number) => void;
  private readonly waiting = new BoundedQueue<Decision>(maxWaiting);
  private turn: NodeJS.Immediate | undefined;

  constructor(log: Logger, onDropped: (decisions: number) => void) {
    this.log = log;
    this.onDropped = onDropped;
  }

  take(decision: Decision): void {
    const dropped = this.waiting.push(decision);
    if (dropped > 0) this.onDropped(dropped);
    this.turn ??= setImmediate(() => this.goOn());
  }

  /** Writes what still waits. */
  flush(): void {
    clearImmediate(this.turn);
    this.turn = undefined;
    this.write(this.waiting.size);
  }

  private goOn(): void {
    this.write(turnSize);
    this.turn = this.waiting.size > 0 ? setImmediate(() => this.goOn()) : undefined;
  }

  private write(lines: number): void {
    for (const decision of this.waiting.take(lines)) {
      const level = decision.kind === 'failing' ? 'warn' : 'info';
      const at = new Date(decision.atMs).toISOString();
      this.log[level]({ at, ...dataOf(decision) }, 'decision');
    }
  }
}
