import { longestTimerMs } from './clock.ts';

/** Those who wait for one thing: each until it comes, for its own time at most, and while its signal is not aborted. */
export class Waiters {
  private readonly waiting = new Set<() => void>();

  /** Resolves at the next `wake`, after `ms` (where they are infinite, never), or when `signal` aborts. Never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.waiting.delete(end);
        resolve();
      };
      const timer = Number.isFinite(ms) ? setTimeout(end, Math.min(ms, longestTimerMs)) : undefined;
      signal.addEventListener('abort', end);
      this.waiting.add(end);
    });
  }

  /** It has come: all who wait now go on. */
  wake(): void {
    for (const end of [...this.waiting]) end();
  }
}
