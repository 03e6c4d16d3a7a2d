/** How much of one turn of the event loop may go into steps, in ms. RPCs are answered between two turns. */
const sliceMs = 0.5;
/** The same while something urgent waits. */
const urgentSliceMs = 24;

/**
 * Work that comes in thousands of small steps, done over several turns of the event loop, so that a batch of ten
 * thousand subjects holds nobody up. What is urgent goes before the rest of what waits.
 */
export class Slices {
  private readonly urgent = new Set<Iterator<unknown>>();
  private readonly waiting = new Set<Iterator<unknown>>();
  private spentMs = 0;
  private turn: NodeJS.Immediate | undefined;
  private working = false;

  /** Begins at once, as far as this turn has time left. A step must not throw. */
  run(steps: Iterator<unknown>, urgent = false): void {
    (urgent ? this.urgent : this.waiting).add(steps);
    if (!this.working && this.spentMs < this.allowedMs) this.work();
  }

  /** Forgets what waits. */
  close(): void {
    this.urgent.clear();
    this.waiting.clear();
  }

  private get allowedMs(): number {
    return this.urgent.size > 0 ? urgentSliceMs : sliceMs;
  }

  private work(): void {
    this.working = true;
    const beganAtMs = performance.now() - this.spentMs;
    try {
      while (this.spentMs < this.allowedMs) {
        const queue = this.urgent.size > 0 ? this.urgent : this.waiting;
        const [steps] = queue;
        if (steps === undefined) break;
        if (steps.next().done === true) queue.delete(steps);
        this.spentMs = performance.now() - beganAtMs;
      }
    } finally {
      // If a step throws all the same, it has ended, and the others go on.
      this.working = false;
      this.turn ??= setImmediate(() => {
        this.turn = undefined;
        this.spentMs = 0;
        if (this.urgent.size + this.waiting.size > 0) this.work();
      });
    }
  }
}
