/** Those who wait until all has been read once. */
export class FirstSync {
  private readonly waiting = new Set<() => void>();
  private done = false;

  /** Resolves when it is done, and when `signal` aborts. */
  wait(signal: AbortSignal): Promise<void> {
    if (this.done || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        this.waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      this.waiting.add(end);
      signal.addEventListener('abort', end);
    });
  }

  finish(): void {
    this.done = true;
    for (const end of [...this.waiting]) end();
  }
}
