import { ScalerError } from '../../errors.ts';

interface Pause {
  untilMs: number;
  error: ScalerError;
}

/** Queues whose reads AWS has throttled: until it may be asked again nothing is sent, not for a hint either. */
export class ThrottledQueues {
  private readonly pauses = new Map<string, Pause>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Why the queue is not to be read now; undefined: it may be. */
  fault(key: string): ScalerError | undefined {
    const pause = this.pauses.get(key);
    if (pause === undefined) return undefined;
    const retryAfterMs = pause.untilMs - this.now();
    if (retryAfterMs > 0) return new ScalerError(pause.error.code, pause.error.message, { retryAfterMs });
    this.pauses.delete(key);
    return undefined;
  }

  failed(key: string, error: ScalerError): void {
    if (error.retryAfterMs === undefined) return;
    const nowMs = this.now();
    // Of queues that nobody reads any more.
    for (const [other, { untilMs }] of this.pauses) if (untilMs <= nowMs) this.pauses.delete(other);
    this.pauses.set(key, { untilMs: nowMs + error.retryAfterMs, error });
  }
}
