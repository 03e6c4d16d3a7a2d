import type { ScalerError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';

/** Whoever reaches the port can have triggers refused, each for a text of their own. */
const mostLinesAMinute = 30;
const mostCharacters = 2000;
const minuteMs = 60_000;

/**
 * Says why triggers are refused. A ScaledObject that is refused from the beginning shows only *no metric specs returned
 * from scalers* (KEDA v2.21): the reason would be in KEDA's log alone.
 */
export class RefusalLog {
  private readonly log: Logger;
  private readonly now: () => number;
  private minuteBeganAtMs = Number.NEGATIVE_INFINITY;
  private linesOfTheMinute = 0;
  private unsaid = 0;

  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.log = log;
    this.now = now;
  }

  refused({ code, message }: ScalerError): void {
    const nowMs = this.now();
    if (nowMs - this.minuteBeganAtMs >= minuteMs) {
      this.minuteBeganAtMs = nowMs;
      this.linesOfTheMinute = 0;
    }
    if (this.linesOfTheMinute >= mostLinesAMinute) {
      this.unsaid += 1;
      return;
    }
    this.linesOfTheMinute += 1;
    const unsaid = this.unsaid > 0 ? { unsaid: this.unsaid } : {};
    this.unsaid = 0;
    this.log.warn(
      { code, error: message.slice(0, mostCharacters), ...unsaid },
      'a trigger is refused; said once for the same metadata',
    );
  }
}
