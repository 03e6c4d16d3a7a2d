import type { AnyConnection } from '../sources/source.ts';

interface Waiting {
  readonly abort: AbortController;
  readonly timer: NodeJS.Timeout;
}

/** The connections that are being filled for the first time; readiness waits for them, but not for ever. */
export class FirstSyncs {
  private readonly waiting = new Map<string, Waiting>();

  get names(): readonly string[] {
    return [...this.waiting.keys()];
  }

  /** Does nothing for a connection that has nothing to be filled with. */
  await(name: string, connection: AnyConnection, timeoutMs: number): void {
    this.stop(name);
    if (!connection.firstSync) return;
    const abort = new AbortController();
    // At its time limit only the waiting ends: the sync itself goes on.
    const timer = setTimeout(() => this.waiting.delete(name), timeoutMs);
    this.waiting.set(name, { abort, timer });
    const done = (): void => {
      clearTimeout(timer);
      if (this.waiting.get(name)?.abort === abort) this.waiting.delete(name);
    };
    connection.firstSync(abort.signal).then(done, done);
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
