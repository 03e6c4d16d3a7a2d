import { ScalerError } from '../../../errors.ts';

/** One caller asks one thing after the other, so that few ever wait. */
const maxWaiting = 1_000;

/** Runs tasks one at a time, in the order they came. */
export class Serial {
  private tail: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** Throws ScalerError `exhausted` when too many wait, and `unavailable` when `signal` aborts before its turn. */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.waiting >= maxWaiting) {
      return Promise.reject(
        new ScalerError('exhausted', `more than ${maxWaiting} requests to GitHub are waiting for their turn`),
      );
    }
    this.waiting += 1;
    const turn = this.tail.then(() => {
      if (signal.aborted) throw new ScalerError('unavailable', 'the request was cancelled');
      return task();
    });
    this.tail = turn
      .catch(() => {})
      .finally(() => {
        this.waiting -= 1;
      });
    return turn;
  }
}
