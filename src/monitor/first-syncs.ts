import type { AnyConnection } from '../sources/source.ts';

interface Waiting {
  readonly abort: AbortController;
  readonly timer: NodeJS.Timeout;
  /** Past its time limit: the sync goes on, readiness does not wait for it any more. */
  overdue: boolean;
}

/** The connections that are being filled for the first time; readiness waits for them, but not for ever. */
export class FirstSyncs {
  private readonly waiting = new Map<string, Waiting>();

  get names(): readonly string[] {
    return [...this.waiting].filter(([, { overdue }]) => !overdue).map(([name]) => name);
  }

  /** Does nothing for a connection that has nothing to be filled with. */
  await(name: string, connection: AnyConnection, timeoutMs: number): void {
    this.stop(name);
    if (!connection.firstSync) return;
    const timer = setTimeout(() => {
      waiting.overdue = true;
    }, timeoutMs);
    const waiting: Waiting = { abort: new AbortController(), timer, overdue: false };
    this.waiting.set(name, waiting);
    const done = (): void => {
      clearTimeout(timer);
      if (this.waiting.get(name) === waiting) this.waiting.delete(name);
    };
    connection.firstSync(waiting.abort.signal).then(done, done);
  }

  /** The connection is closed. */
  stop(name: string): void {
    const waiting = this.waiting.get(name);
    if (!waiting) return;
    this.waiting.delete(name);
    clearTimeout(waiting.timer);
    waiting.abort.abort();
  }
}
