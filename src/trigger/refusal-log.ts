import type { ScalerError } from '../errors.ts';
import { FewAMinute, type Logger } from '../telemetry/log.ts';

/** Whoever reaches the port can have triggers refused, each for a text of their own. */
const mostAMinute = 30;
const mostCharacters = 2000;

/**
 * Says why triggers are refused. A ScaledObject that is refused from the beginning shows only *no metric specs returned
 * from scalers* (KEDA v2.21): the reason would be in KEDA's log alone.
 */
export class RefusalLog {
  private readonly log: Logger;
  private readonly few: FewAMinute;

  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.log = log;
    this.few = new FewAMinute(mostAMinute, now);
  }

  refused({ code, message }: ScalerError): void {
    const due = this.few.due('');
    if (due === undefined) return;
    this.log.warn(
      {
        code,
        error: message.slice(0, mostCharacters),
        ...(due.unsaid === undefined ? {} : { alsoRefused: due.unsaid }),
      },
      'a trigger is refused; said once for the same metadata',
    );
  }
}
