import { epochNowMs } from '../clock.ts';
import type { EventFeed, InboundEvent } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventLog } from './event-log.ts';
import { Followers } from './followers.ts';

/**
 * Keeps the newest events in memory, so that a connection that is opened anew by a changed configuration knows
 * what the one before it knew. A restart forgets them: reconciling brings the ledgers back that can reconcile.
 */
export class MemoryEventLog implements EventLog {
  private readonly maxEvents: number;
  private readonly kept: InboundEvent[] = [];
  private readonly followers: Followers;
  private keptSinceMs = epochNowMs();

  constructor({ maxEvents, log }: { maxEvents: number; log: Logger }) {
    this.maxEvents = maxEvents;
    this.followers = new Followers(log);
  }

  async open(): Promise<void> {}

  async append(event: InboundEvent): Promise<void> {
    this.kept.push(event);
    // A quarter at a time: taking one off the front of a long array moves all the others.
    if (this.kept.length > this.maxEvents * 1.25) this.forget(this.kept.length - this.maxEvents);
    this.followers.handToAll(event);
  }

  feedOf(connection: string): EventFeed {
    return {
      durable: false,
      keptSinceMs: () => this.keptSinceMs,
      follow: (take, replayed) => this.follow(connection, take, replayed),
    };
  }

  private follow(connection: string, take: (event: InboundEvent) => void, replayed?: () => void): () => void {
    const follower = { connection, take };
    for (const event of this.kept) if (event.connection === connection) this.followers.hand(event, follower);
    replayed?.();
    this.followers.add(follower);
    return () => this.followers.remove(follower);
  }

  private forget(count: number): void {
    for (const { receivedAtMs } of this.kept.splice(0, count)) {
      this.keptSinceMs = Math.max(this.keptSinceMs, receivedAtMs);
    }
  }

  async close(): Promise<void> {
    this.followers.clear();
  }
}
