import { ScalerError } from '../errors.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { InboundEvent } from '../sources/inbound.ts';
import { FewAMinute, type Logger } from '../telemetry/log.ts';
import { type Answer, refusal } from './answer.ts';
import type { EventPaces } from './pace.ts';

const retrySeconds = 5;

export interface KeeperOptions {
  readonly log: Logger;
  readonly events: Pick<EventLog, 'append'>;
  readonly paces: Pick<EventPaces, 'passed'>;
}

/** Puts events into the event log, and answers their senders. */
export class Keeper {
  private readonly options: KeeperOptions;
  private readonly few = new FewAMinute(1, () => performance.now());

  constructor(options: KeeperOptions) {
    this.options = options;
  }

  /**
   * Answers once all events are as safe as the log makes them. Where one cannot be kept, its sender is to send the whole
   * request again: facts are idempotent, so those that were kept do no harm twice.
   */
  async keep(events: readonly InboundEvent[]): Promise<Answer> {
    if (events.length === 0) {
      return { status: 202, outcome: 'ignored', body: { accepted: 'says nothing about a backlog' } };
    }
    for (const connection of new Set(events.map((event) => event.connection))) {
      const count = events.filter((event) => event.connection === connection).length;
      if (!(await this.options.paces.passed(connection, count))) return this.tooMany(connection);
    }
    try {
      await Promise.all(events.map((event) => this.options.events.append(event)));
    } catch (reason) {
      return this.refuse(ScalerError.from(reason));
    }
    return { status: 202, outcome: 'accepted', body: { accepted: 'kept' } };
  }

  private tooMany(connection: string): Answer {
    const due = this.few.due(`connection ${connection}`);
    if (due) {
      this.options.log.warn(
        { connection, ...(due.unsaid !== undefined && { alsoRefused: due.unsaid }) },
        'events from outside come faster than ingest.maxEventsPerSecond: their sender is answered with 429',
      );
    }
    const error = 'more events come for the connection than ingest.maxEventsPerSecond, send it again later';
    return refusal(429, 'busy', error, { retryAfterSeconds: retrySeconds });
  }

  private refuse({ code, message }: ScalerError): Answer {
    const due = this.few.due(code);
    const fields = { error: message, ...(due?.unsaid !== undefined && { alsoRefused: due.unsaid }) };
    if (code === 'invalid') {
      if (due)
        this.options.log.error(
          fields,
          'an event from outside can never be kept: its sender is answered with 413',
        );
      return refusal(413, 'too_large', 'an event is larger than the event log takes');
    }
    if (due)
      this.options.log.error(
        fields,
        'events from outside could not be kept: their sender is answered with 503',
      );
    const error = 'cannot be kept now, send it again';
    return refusal(503, 'unavailable', error, { retryAfterSeconds: retrySeconds });
  }
}
