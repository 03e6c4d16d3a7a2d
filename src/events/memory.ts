import { ScalerError } from '../errors.ts';
import type { EventFeed, InboundEvent } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventLog } from './event-log.ts';

type Take = (event: InboundEvent) => void;

/**
 * Keeps the newest events in memory, so that a connection that is opened anew by a changed configuration knows
 * what the one before it knew. A restart forgets them: reconciling brings the ledgers back.
 */
export class MemoryEventLog implements EventLog {
  private readonly maxEvents: number;
  private readonly log: Logger;
  private readonly kept: InboundEvent[] = [];
  private readonly followers = new Map<string, Set<Take>>();

  constructor({ maxEvents, log }: { maxEvents: number; log: Logger }) {
    this.maxEvents = maxEvents;
    this.log = log;
  }

  async append(event: InboundEvent): Promise<void> {
    this.kept.push(event);
    // A quarter at a time: taking one off the front of a long array moves all the others.
    if (this.kept.length > this.maxEvents * 1.25) this.kept.splice(0, this.kept.length - this.maxEvents);
    for (const take of this.followers.get(event.connection) ?? []) this.hand(event, take);
  }

  feedOf(connection: string): EventFeed {
    return { durable: false, follow: (take, replayed) => this.follow(connection, take, replayed) };
  }

  private follow(connection: string, take: Take, replayed?: () => void): () => void {
    for (const event of this.kept) if (event.connection === connection) this.hand(event, take);
    replayed?.();
    const followers = this.followers.get(connection) ?? new Set();
    this.followers.set(connection, followers.add(take));
    return () => {
      followers.delete(take);
      if (followers.size === 0 && this.followers.get(connection) === followers)
        this.followers.delete(connection);
    };
  }

  /** The event is kept, whatever a ledger makes of it; a fault of one is no matter of the sender or of another. */
  private hand(event: InboundEvent, take: Take): void {
    try {
      take(event);
    } catch (reason) {
      const { connection, type } = event;
      const { message } = ScalerError.from(reason);
      this.log.error({ connection, type, error: message }, 'an event could not be taken into the ledger');
    }
  }

  async close(): Promise<void> {
    this.followers.clear();
  }
}
