import type { Logger } from '../../../../telemetry/log.ts';
import { ownTurn } from '../../../../turns.ts';
import type { Wake, Watch } from '../../../source.ts';
import type { IsolationLevel } from '../../rules/snapshot.ts';
import type { Dialer } from '../wire/wire.ts';
import { Faults, watchesOf } from './faults.ts';
import type { Leaders, PartitionEnd, WatchRequest, WatchSettings } from './settings.ts';
import { defaultWatchSettings } from './settings.ts';
import { Shard } from './shard.ts';
import {
  type PartitionHost,
  partitionKey,
  SubjectWatch,
  type WakeCause,
  WatchedPartition,
} from './subject-watch.ts';

export interface WatcherDeps {
  readonly dialer: Dialer;
  readonly leaders: Leaders;
  readonly log: Logger;
  /** A connection to this broker died silently. */
  readonly onSilent?: (address: string) => void;
}

const partitionsInATurn = 1000;

/** A partition to be watched, and its leader. */
interface Placed extends PartitionEnd {
  readonly address: string;
}

/**
 * Watches the quiet partitions of one cluster: long polls at the end of the log, in shards of one session and
 * one socket each. A partition that several subjects want is in a session once.
 */
export class Watcher {
  private readonly dialer: Dialer;
  private readonly leaders: Leaders;
  private readonly settings: WatchSettings;
  private readonly faults: Faults;
  private readonly shards = new Set<Shard>();
  private readonly watched: Readonly<Record<IsolationLevel, Map<string, WatchedPartition>>> = {
    readUncommitted: new Map(),
    readCommitted: new Map(),
  };
  /** Which one was chosen last. */
  private latest: Shard | undefined;
  private closed = false;

  constructor({ dialer, leaders, log, onSilent }: WatcherDeps, settings: Partial<WatchSettings> = {}) {
    this.dialer = dialer;
    this.leaders = leaders;
    this.settings = { ...defaultWatchSettings, ...settings };
    this.faults = new Faults(leaders, log, this.settings, (host) => {
      this.suspect(host.address, host);
      onSilent?.(host.address);
    });
  }

  /** A connection to the broker died silently: its other watches continue on new ones. */
  suspect(address: string, found?: PartitionHost): void {
    for (const shard of [...this.shards]) {
      if (shard.address === address && shard !== found) shard.suspect();
    }
  }

  /**
   * Watches from where a snapshot ends. Never wakes before it has returned. `refused` at once where there is
   * nothing to watch, or a partition has no known leader, no READ right, or a broker that is left alone for now.
   */
  arm({ partitions, isolationLevel }: WatchRequest, wake: Wake): Watch {
    const places = this.place(partitions) ?? [];
    const watch = new SubjectWatch(places.length, wake, (partition) => this.forget(partition));
    if (places.length === 0) watch.close();
    this.join(watch, places.slice(0, partitionsInATurn), isolationLevel);
    void this.joinLater(watch, places.slice(partitionsInATurn), isolationLevel);
    return watch;
  }

  /** Thousands of partitions in turns of the event loop after this one; the watch is arming until it has all. */
  private async joinLater(watch: SubjectWatch, places: readonly Placed[], isolationLevel: IsolationLevel) {
    for (let at = 0; at < places.length; at += partitionsInATurn) {
      await ownTurn();
      if (this.closed || watch.state === 'refused') return;
      this.join(watch, places.slice(at, at + partitionsInATurn), isolationLevel);
    }
  }

  private join(watch: SubjectWatch, places: readonly Placed[], isolationLevel: IsolationLevel): void {
    let isBehind = false;
    for (const place of places) {
      const partition = this.partitionAt(place, isolationLevel);
      watch.join(partition);
      // Another subject already saw a later end, so there are records since this snapshot.
      if (partition.offset > place.end) isBehind = true;
    }
    if (isBehind) queueMicrotask(() => watch.fire('record'));
  }

  /** Closes all sockets; no watch wakes any more. */
  close(): void {
    this.closed = true;
    for (const shard of this.shards) shard.close();
    for (const watched of Object.values(this.watched)) {
      for (const watch of watchesOf(watched.values())) watch.close();
    }
    this.shards.clear();
  }

  private place(partitions: Iterable<PartitionEnd>): Placed[] | undefined {
    const places: Placed[] = [];
    for (const { topic, partition, end } of partitions) {
      const address = this.leaders.locate(topic, partition);
      if (address === undefined || !this.faults.mayWatch(topic, address)) return undefined;
      places.push({ topic, partition, end, address });
    }
    return this.closed || places.length === 0 ? undefined : places;
  }

  private partitionAt(place: Placed, isolationLevel: IsolationLevel): WatchedPartition {
    const watched = this.watched[isolationLevel];
    const key = partitionKey(place.topic, place.partition);
    const present = watched.get(key);
    const cause = present && whySuperseded(present, place);
    if (present && !cause) return present;
    const shard = this.shardAt(place.address, isolationLevel);
    const partition = new WatchedPartition(key, place, shard);
    watched.set(key, partition);
    shard.add(partition);
    if (present && cause) fireSoon(present, cause);
    return partition;
  }

  /**
   * The session that a partition joins: one whose next request goes out at once, or a spare one if all are being held. With
   * enough spare ones, it is the session with the shortest hold.
   */
  private shardAt(address: string, isolationLevel: IsolationLevel): Shard {
    const latest = this.latest;
    // A subject of thousands of partitions asks for each.
    if (latest?.address === address && latest.isolationLevel === isolationLevel && this.isReady(latest)) {
      return latest;
    }
    this.latest = this.findShard(address, isolationLevel);
    return this.latest;
  }

  private isReady(shard: Shard): boolean {
    return this.shards.has(shard) && !shard.isGone && this.hasRoom(shard) && shard.busyMs === 0;
  }

  private hasRoom({ size }: Shard): boolean {
    return size < this.settings.watchPartitionsPerSession;
  }

  private findShard(address: string, isolationLevel: IsolationLevel): Shard {
    const roomy = this.shardsAt(address, isolationLevel).filter((shard) => this.hasRoom(shard));
    const soonest = roomy.sort((a, b) => a.busyMs - b.busyMs || b.size - a.size)[0];
    const mostRoomy = this.faults.maySpare(address) ? 1 + this.settings.spareSessions : 1;
    if (soonest && (soonest.busyMs === 0 || roomy.length >= mostRoomy)) return soonest;
    const shard: Shard = new Shard(address, isolationLevel, {
      settings: this.settings,
      listener: this.faults,
      isSpare: roomy.some(({ isProven }) => isProven),
      onTurn: () => this.gather(shard),
      onOver: () => this.shards.delete(shard),
    });
    this.shards.add(shard);
    void shard.run(this.dialer);
    return shard;
  }

  /** Fills a session up from the smaller ones, so that a broker is soon left with as few as can be. */
  private gather(into: Shard): void {
    const others = this.shardsAt(into.address, into.isolationLevel);
    const age = others.indexOf(into);
    for (const [at, other] of others.entries()) {
      const isSmaller = other.size < into.size || (other.size === into.size && at > age);
      if (isSmaller) into.takeOver(other, this.settings.watchPartitionsPerSession - into.size);
    }
  }

  /** Oldest first. */
  private shardsAt(address: string, isolationLevel: IsolationLevel): Shard[] {
    return [...this.shards].filter(
      (shard) => shard.address === address && shard.isolationLevel === isolationLevel && !shard.isGone,
    );
  }

  /** Nobody wants the partition any more. */
  private forget(partition: WatchedPartition): void {
    partition.leave();
    const watched = this.watched[partition.host.isolationLevel];
    if (watched.get(partition.key) === partition) watched.delete(partition.key);
  }
}

/**
 * What an arming shows about earlier watches. A later end means records for them. Another leader means that theirs may
 * have gone silently, which only the poll's timeout would show.
 */
function whySuperseded(present: WatchedPartition, { address, end }: Placed): WakeCause | undefined {
  if (present.host.address !== address) return 'leader moved';
  return end > present.offset ? 'record' : undefined;
}

function fireSoon(partition: WatchedPartition, cause: WakeCause): void {
  for (const watch of watchesOf([partition])) queueMicrotask(() => watch.fire(cause));
}
