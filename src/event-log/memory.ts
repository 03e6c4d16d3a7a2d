import { epochNowMs } from '../clock.ts';
import type { EventFeed, InboundEvent, KeptSince } from '../sources/inbound.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventLog } from './event-log.ts';
import { fairShare } from './fair-share.ts';
import { Followers } from './followers.ts';

interface Kept {
  readonly events: InboundEvent[];
  since: KeptSince;
}

/**
 * Keeps the newest events in memory, so that a connection that a reload opens again knows as much as before. A restart
 * forgets them. A ledger that can reconcile is then rebuilt.
 */
export class MemoryEventLog implements EventLog {
  private readonly maxEvents: number;
  /** By connection. */
  private readonly kept = new Map<string, Kept>();
  private readonly followers: Followers;
  private count = 0;

  constructor({ maxEvents, log }: { maxEvents: number; log: Logger }) {
    this.maxEvents = maxEvents;
    this.followers = new Followers(log);
  }

  async open(): Promise<void> {}

  async append(event: InboundEvent): Promise<void> {
    this.of(event.connection).events.push(event);
    this.count += 1;
    // A quarter at a time, because each removal from the front of a long array moves the rest.
    if (this.count > this.maxEvents * 1.25) this.forget();
    this.followers.handToAll(event);
  }

  feedOf(connection: string): EventFeed {
    return {
      keptSince: () => this.of(connection).since,
      follow: (take, replayed) => this.follow(connection, take, replayed),
    };
  }

  private follow(connection: string, take: (event: InboundEvent) => void, replayed?: () => void): () => void {
    const follower = { connection, take };
    for (const event of this.of(connection).events) this.followers.hand(event, follower);
    replayed?.();
    this.followers.add(follower);
    return () => this.followers.remove(follower);
  }

  /** Events from before the log first heard of a connection are unknown. */
  private of(connection: string): Kept {
    const known = this.kept.get(connection);
    if (known !== undefined) return known;
    const kept: Kept = { events: [], since: { atMs: epochNowMs(), because: 'memory' } };
    this.kept.set(connection, kept);
    return kept;
  }

  private forget(): void {
    const share = fairShare(
      [...this.kept.values()].map(({ events }) => events.length),
      this.maxEvents,
    );
    for (const kept of this.kept.values()) {
      if (kept.events.length <= share) continue;
      for (const { receivedAtMs } of kept.events.splice(0, kept.events.length - share)) {
        this.count -= 1;
        if (receivedAtMs > kept.since.atMs) kept.since = { atMs: receivedAtMs, because: 'dropped' };
      }
    }
  }

  async close(): Promise<void> {
    this.followers.clear();
  }
}
