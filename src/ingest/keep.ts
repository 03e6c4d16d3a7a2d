import { ScalerError } from '../errors.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { InboundEvent } from '../sources/inbound.ts';
import { FewAMinute, type Logger } from '../telemetry/log.ts';
import { type Answer, refusal } from './answer.ts';

const retrySeconds = 5;

/** Puts events into the event log, and answers their senders. */
export class Keeper {
  private readonly log: Logger;
  private readonly eventLog: Pick<EventLog, 'append'>;
  private readonly few: FewAMinute;

  /** `now`: in ms, monotonic. */
  constructor(log: Logger, eventLog: Pick<EventLog, 'append'>, now = () => performance.now()) {
    this.log = log;
    this.eventLog = eventLog;
    this.few = new FewAMinute(1, now);
  }

  /**
   * Answers once all events are as safe as the log makes them. Where one cannot be kept, its sender is to send the whole
   * request again: facts are idempotent, so those that were kept do no harm twice.
   */
  async keep(events: readonly InboundEvent[]): Promise<Answer> {
    if (events.length === 0) {
      return { status: 202, outcome: 'ignored', body: { accepted: 'says nothing about a backlog' } };
    }
    try {
      await Promise.all(events.map((event) => this.eventLog.append(event)));
    } catch (reason) {
      return this.refuse(ScalerError.from(reason));
    }
    return { status: 202, outcome: 'accepted', body: { accepted: 'kept' } };
  }

  private refuse({ code, message }: ScalerError): Answer {
    const due = this.few.due(code);
    const fields = { error: message, ...(due?.unsaid !== undefined && { alsoRefused: due.unsaid }) };
    if (code === 'invalid') {
      if (due)
        this.log.error(fields, 'an event from outside can never be kept: its sender is answered with 413');
      return refusal(413, 'too_large', 'an event is larger than the event log takes');
    }
    if (due)
      this.log.error(fields, 'events from outside could not be kept: their sender is answered with 503');
    const error = 'cannot be kept now, send it again';
    return refusal(503, 'unavailable', error, { retryAfterSeconds: retrySeconds });
  }
}
