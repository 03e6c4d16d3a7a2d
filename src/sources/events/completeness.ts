import { ScalerError } from '../../errors.ts';
import type { EventFeed } from '../source.ts';
import type { Coverage } from './snapshot.ts';

/**
 * Since when the ledger knows of every item. Nothing but events can tell of one, so that without all events of
 * the last `ttlSeconds` an item may be open that it knows nothing of.
 */
export class Completeness {
  private readonly feed: Pick<EventFeed, 'durable' | 'keptSinceMs'>;
  private readonly ttlMs: number;
  /** In ms since 1970; undefined before all that were kept have been read. */
  private wholeFromMs: number | undefined;

  constructor(feed: Pick<EventFeed, 'durable' | 'keptSinceMs'>, ttlMs: number) {
    this.feed = feed;
    this.ttlMs = ttlMs;
  }

  /** From now on the ledger follows. */
  replayed(): void {
    this.wholeFromMs = this.feed.keptSinceMs() + this.ttlMs;
  }

  at(nowMs: number): Coverage {
    const { wholeFromMs } = this;
    if (wholeFromMs === undefined) return { kind: 'replaying', error: stillReading };
    if (nowMs >= wholeFromMs) return { kind: 'whole' };
    const time = new Date(wholeFromMs).toISOString().slice(0, 16).replace('T', ' ');
    const advice = this.feed.durable
      ? 'the event log has dropped events that are younger than ttlSeconds: raise eventLog.maxEvents or eventLog.retentionSeconds'
      : 'the event log in memory forgets at a restart: set eventLog: { type: file }';
    const message = `the number is known at ${time} UTC, ttlSeconds after the first event that is still kept; ${advice}`;
    return { kind: 'partial', error: new ScalerError('unavailable', message) };
  }
}

const stillReading = new ScalerError('unavailable', 'events that were kept are still being read');
