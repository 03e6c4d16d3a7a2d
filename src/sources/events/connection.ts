import { epochNowMs, monotonicMs } from '../../clock.ts';
import { ScalerError } from '../../errors.ts';
import type { EventFeed, InboundEvent, KeptSince } from '../inbound.ts';
import type { Connection, ConnectionDeps, Deliver, Subject, SubjectRef } from '../source.ts';
import { backlogsOf, type EventsConfig } from './config.ts';
import type { EventsParams } from './params.ts';
import type { Coverage, EventsSnapshot } from './rules/backlog.ts';
import { areFacts } from './rules/fact.ts';
import { Ledger } from './rules/ledger.ts';

export function connect(config: EventsConfig, deps: ConnectionDeps): EventsConnection {
  return new EventsConnection(config, deps);
}

/**
 * Events fill the ledger and wake; reads answer from it at once. Nothing outside confirms the ledger, since it follows the event
 * log. A reading ages only where the log is shared and this pod is cut off from it: then nothing new counts.
 */
export class EventsConnection implements Connection<EventsParams, EventsSnapshot, undefined> {
  private readonly deps: ConnectionDeps;
  private readonly backlogs: ReadonlySet<string>;
  private readonly ledger: Ledger;
  private readonly completeness: Completeness;
  private readonly unfollow: () => void;
  private readonly synced: Promise<void>;
  private isReplayed = false;
  private saidPartial: string | undefined;
  private saidFull = false;
  private saidOutdated = false;

  constructor(config: EventsConfig, deps: ConnectionDeps) {
    const ttlMs = config.ttlSeconds * 1000;
    this.deps = deps;
    this.backlogs = backlogsOf(config);
    this.ledger = new Ledger({ ttlMs, maxItems: config.maxItems });
    this.completeness = new Completeness(deps.events, ttlMs);
    let synced = (): void => {};
    this.synced = new Promise((resolve) => {
      synced = resolve;
    });
    this.unfollow = deps.events.follow(
      (event) => this.take(event),
      () => {
        this.replayed();
        synced();
      },
    );
  }

  subject({ backlog }: EventsParams): SubjectRef<undefined> {
    return { key: backlog, hintNames: [backlog], need: undefined };
  }

  async read(subjects: readonly Subject<undefined>[], deliver: Deliver<EventsSnapshot>): Promise<void> {
    const nowMs = epochNowMs();
    this.wake(this.ledger.expire(nowMs));
    const known = this.completeness.at(nowMs);
    const cutOff = known.kind === 'replaying' ? undefined : this.deps.events.cutOff?.();
    const all: Coverage = cutOff === undefined ? known : { kind: 'cutOff', error: cutOff.error };
    const confirmed = cutOff === undefined ? {} : { confirmedAtMs: cutOff.sinceMs };
    for (const { key } of subjects) {
      const sinceMs = this.ledger.queuedSinceMs(key);
      const queuedSinceMs = sinceMs === undefined ? undefined : monotonicMs(sinceMs);
      const coverage = all.kind === 'whole' && this.ledger.lacks(key) ? full : all;
      const snapshot = { counts: this.ledger.counts(key), queuedSinceMs, coverage };
      deliver(key, { snapshot, ...confirmed });
    }
  }

  /** Resolves when all events that were kept have been read. */
  firstSync(): Promise<void> {
    return this.synced;
  }

  async close(): Promise<void> {
    this.unfollow();
  }

  private replayed(): void {
    this.isReplayed = true;
    this.completeness.replayed();
    const coverage = this.completeness.at(epochNowMs());
    const why = coverage.kind === 'partial' ? coverage.error.message : undefined;
    if (why !== undefined && why !== this.saidPartial)
      this.deps.log.warn({ why }, 'not all open work items are known yet');
    this.saidPartial = why;
    this.wake(this.backlogs);
  }

  private take({ fact, receivedAtMs, type, id }: InboundEvent): void {
    if (!areFacts(fact)) {
      this.deps.log.debug({ type, id }, 'an event that holds no facts of this version is left out');
      return;
    }
    // The clock of the process that took it in may have been ahead.
    const atMs = Math.min(receivedAtMs, epochNowMs());
    const { outdated } = this.ledger;
    for (const one of fact) {
      // Events are kept by the connection's name; under it there may have been other backlogs before.
      if (this.backlogs.has(one.backlog)) this.wake(this.ledger.take(one, atMs));
    }
    if (this.ledger.refusals > 0) this.sayFull();
    if (this.ledger.outdated > outdated) this.sayOutdated(type, id);
  }

  private wake(backlogs: Iterable<string>): void {
    if (!this.isReplayed) return;
    for (const backlog of backlogs) this.deps.wake(backlog, 'event');
  }

  private sayFull(): void {
    if (this.saidFull) return;
    this.saidFull = true;
    this.deps.log.warn({}, 'there are more open items than maxItems: new ones are ignored');
  }

  private sayOutdated(type: string, id: string): void {
    if (this.saidOutdated || !this.isReplayed) return;
    this.saidOutdated = true;
    this.deps.log.warn(
      { type, id },
      'events whose time is more than ttlSeconds ago open no item: they were sent again much later, or the clock of their sender is wrong',
    );
  }
}

const full: Coverage = {
  kind: 'full',
  error: new ScalerError(
    'unavailable',
    'more items are open than maxItems, and some of this backlog have no room: raise it, or find the sender that never finishes its items; the number is known ttlSeconds after the last that had none',
  ),
};

/**
 * Since when the ledger knows every item. Only events announce items. So without all events of the last `ttlSeconds`, an
 * unknown item may be open.
 */
export class Completeness {
  private readonly feed: Pick<EventFeed, 'keptSince' | 'unreadable'>;
  private readonly ttlMs: number;
  /** Undefined before all stored events have been read. */
  private since: KeptSince | undefined;

  constructor(feed: Pick<EventFeed, 'keptSince' | 'unreadable'>, ttlMs: number) {
    this.feed = feed;
    this.ttlMs = ttlMs;
  }

  /** From now on the ledger follows. */
  replayed(): void {
    this.since = this.feed.keptSince();
  }

  at(nowMs: number): Coverage {
    if (this.since === undefined) {
      return { kind: 'replaying', error: this.feed.unreadable?.() ?? stillReading };
    }
    const { atMs, because } = this.since;
    const wholeFromMs = atMs + this.ttlMs;
    if (nowMs >= wholeFromMs) return { kind: 'whole' };
    const time = new Date(wholeFromMs).toISOString().slice(0, 16).replace('T', ' ');
    const message = `the number is known at ${time} UTC, ttlSeconds after the first event that is still kept; ${reasons[because]}`;
    return { kind: 'partial', error: new ScalerError('unavailable', message) };
  }
}

const stillReading = new ScalerError('unavailable', 'events that were kept are still being read');

const reasons: Readonly<Record<KeptSince['because'], string>> = {
  memory: 'the event log in memory forgets at a restart: set eventLog: { type: file }',
  new: 'the event log is new to this connection, and items may be open since before it: keep eventLog.dir on a volume that outlives the pod, or the stream in NATS',
  dropped:
    'the event log has dropped events that are younger than ttlSeconds: raise eventLog.maxEvents (in NATS maxEventsPerConnection and maxBytes) or eventLog.retentionSeconds',
  damaged:
    'events of the event log were lost by damage: look at the disk (in NATS at its stream), and at the log of this process',
};
