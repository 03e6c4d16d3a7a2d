import type { EventFeed, InboundEvent } from '../sources/source.ts';

/**
 * Where verified events from outside are kept, and from where every ledger is fed. What is appended reaches
 * those who follow before `append` resolves; a ledger that opens later is fed with what is kept.
 */
export interface EventLog {
  /** Resolves when the event is as safe as this log makes it; rejects with ScalerError where it cannot be kept. */
  append(event: InboundEvent): Promise<void>;
  feedOf(connection: string): EventFeed;
  close(): Promise<void>;
}
