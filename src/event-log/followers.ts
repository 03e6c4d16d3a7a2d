import { ScalerError } from '../errors.ts';
import type { InboundEvent } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';

export interface Follower {
  readonly connection: string;
  readonly take: (event: InboundEvent) => void;
}

/** Those who are handed each event as it comes. */
export class Followers {
  private readonly log: Logger;
  private readonly byConnection = new Map<string, Set<Follower>>();

  constructor(log: Logger) {
    this.log = log;
  }

  add(follower: Follower): void {
    const { connection } = follower;
    const followers = this.byConnection.get(connection) ?? new Set();
    this.byConnection.set(connection, followers.add(follower));
  }

  remove(follower: Follower): void {
    const { connection } = follower;
    const followers = this.byConnection.get(connection);
    followers?.delete(follower);
    if (followers?.size === 0) this.byConnection.delete(connection);
  }

  handToAll(event: InboundEvent): void {
    for (const follower of this.byConnection.get(event.connection) ?? []) this.hand(event, follower);
  }

  /** The event is kept, whatever a ledger makes of it; a fault of one is no matter of the sender or of another. */
  hand(event: InboundEvent, { take }: Follower): void {
    try {
      take(event);
    } catch (reason) {
      const { connection, type } = event;
      const { message } = ScalerError.from(reason);
      this.log.error({ connection, type, error: message }, 'an event could not be taken into the ledger');
    }
  }

  clear(): void {
    this.byConnection.clear();
  }
}
