import { ScalerError } from '../errors.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { InboundEvent } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import { type Answer, refusal } from './answer.ts';

const retrySeconds = 5;

/**
 * Keeps events, and answers once all of them are as safe as the log makes them. Where one cannot be kept, its
 * sender is to send the whole request again: facts are idempotent, so those that were kept do no harm twice.
 */
export async function keepAll(
  events: readonly InboundEvent[],
  log: Logger,
  eventLog: Pick<EventLog, 'append'>,
): Promise<Answer> {
  if (events.length === 0) {
    return { status: 202, outcome: 'ignored', body: { accepted: 'says nothing about a backlog' } };
  }
  try {
    await Promise.all(events.map((event) => eventLog.append(event)));
  } catch (reason) {
    const { message } = ScalerError.from(reason);
    log.error({ error: message }, 'events from outside could not be kept: their sender is answered with 503');
    const error = 'cannot be kept now, send it again';
    return refusal(503, 'unavailable', error, { retryAfterSeconds: retrySeconds });
  }
  return { status: 202, outcome: 'accepted', body: { accepted: 'kept' } };
}
