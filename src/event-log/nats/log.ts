import { setTimeout as sleep } from 'node:timers/promises';
import { epochNowMs } from '../../clock.ts';
import { ScalerError } from '../../errors.ts';
import type { NatsLink } from '../../pods/link.ts';
import type { EventFeed, InboundEvent, KeptSince } from '../../sources/inbound.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { EventLog } from '../event-log.ts';
import { isRefusal, isTooLarge, streamFault } from './faults.ts';
import { Outbox, type OutboxLimits, type Outgoing } from './outbox.ts';
import { Reader } from './reader.ts';
import { LogStream, messageId, type Ready, type StreamSettings, subjectOf } from './stream.ts';

export interface NatsLogSettings extends StreamSettings, OutboxLimits {
  readonly requestTimeoutMs: number;
}

export interface NatsEventLogOptions {
  readonly settings: NatsLogSettings;
  readonly link: NatsLink;
  readonly log: Logger;
  readonly metrics: Pick<
    Metrics,
    'eventLogConnected' | 'eventLogBuffered' | 'eventLogForwarded' | 'eventLogDropped'
  >;
}

/** A sender waits no longer than this. Its event is in memory, and goes to NATS later. */
const lateMs = 1_500;
/** An event without an answer after this time is sent again. Its message ID makes it the same event. */
const answerMs = 2_000;
const retryMs = 250;
/** How long a stopping process waits for NATS to take the events in memory. */
const flushMs = 3_500;

/**
 * Keeps events in a NATS stream that all pods of a scaler read. Followers get them from the stream, so that they are always
 * in a state in which the stream was. Events that NATS has not taken wait in memory, in order, within bounds. Followers of
 * this pod get these ahead of the stream, to wake what is asleep, and again from the stream, which is harmless because facts
 * are idempotent. Until then the feed is cut off, and nothing counts.
 */
export class NatsEventLog implements EventLog {
  private readonly options: NatsEventLogOptions;
  private readonly stream: LogStream;
  private readonly outbox: Outbox;
  private readonly readers = new Set<Reader>();
  private readonly closing = new AbortController();
  private forwarding: Promise<void> | undefined;
  /** The stream does not answer, or refuses. Then senders do not wait for it. */
  private stalled = false;
  private said: string | undefined;
  private closed = false;

  constructor(options: NatsEventLogOptions) {
    const { settings, link, log, metrics } = options;
    this.options = options;
    this.outbox = new Outbox(settings);
    metrics.eventLogConnected.set(0);
    this.stream = new LogStream({
      settings,
      link,
      log,
      usable: (usable) => {
        metrics.eventLogConnected.set(usable ? 1 : 0);
        if (!usable) this.outbox.settleAll();
      },
    });
  }

  /** Does not wait for NATS; `NatsLink` connects in the background. */
  async open(): Promise<void> {}

  async append(event: InboundEvent): Promise<void> {
    if (this.closed) throw new ScalerError('unavailable', 'the event log is closed');
    const receivedAtMs = event.receivedAtMs - this.stream.aheadMs;
    const payload = Buffer.from(JSON.stringify({ ...event, receivedAtMs }));
    this.checkSize(payload.length);
    const outgoing = this.outgoing(event, payload);
    this.outbox.add(outgoing);
    this.count();
    this.forwarding ??= this.forward().finally(() => {
      this.forwarding = undefined;
    });
    if (this.stalled || this.stream.current === undefined) outgoing.settle(false);
    const late = setTimeout(outgoing.settle, lateMs, false);
    await outgoing.settled;
    clearTimeout(late);
  }

  private outgoing(event: InboundEvent, payload: Buffer): Outgoing & { readonly settled: Promise<void> } {
    const receivedMs = performance.now();
    let resolve = (): void => {};
    const settled = new Promise<void>((resolved) => {
      resolve = resolved;
    });
    let isSettled = false;
    const settle = (isKept: boolean): void => {
      if (isSettled) return;
      isSettled = true;
      if (!isKept) for (const reader of this.readersOf(event)) reader.takeAhead(event, receivedMs);
      resolve();
    };
    return { event, payload, settle, settled };
  }

  private readersOf({ connection }: InboundEvent): Reader[] {
    return [...this.readers].filter((reader) => reader.connection === connection);
  }

  feedOf(connection: string): EventFeed {
    const { stream, outbox } = this;
    const { settings, log } = this.options;
    let since: KeptSince = { atMs: epochNowMs(), because: 'new' };
    let following: Reader | undefined;
    return {
      keptSince: () => since,
      cutOff: () => {
        const sinceMs = following?.cutOffSinceMs();
        return sinceMs === undefined ? undefined : { sinceMs, error: this.unreadable(following) ?? unheard };
      },
      unreadable: () => this.unreadable(following),
      follow: (take, replayed) => {
        const reader = new Reader({
          stream,
          name: settings.stream,
          follower: { connection, take },
          replayed: (found) => {
            since = found;
            replayed?.();
          },
          waits: () => outbox.holds(connection),
          log,
        });
        this.readers.add(reader);
        following = reader;
        return () => {
          this.readers.delete(reader);
          reader.close();
        };
      },
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    const abort = new AbortController();
    const limit = sleep(flushMs, undefined, { signal: abort.signal }).catch(() => undefined);
    await Promise.race([this.forwarding, limit]);
    abort.abort();
    this.closing.abort();
    for (const reader of this.readers) reader.close();
    this.outbox.settleAll();
    this.stream.close();
    const { size } = this.outbox;
    if (size === 0) return;
    this.options.metrics.eventLogDropped.inc({ reason: 'stopped' }, size);
    this.options.log.error(
      { events: size, connections: this.outbox.counts() },
      'events are lost: NATS did not take them before this pod stopped; items of `events` connections that they opened or ended are wrong until ttlSeconds, other ledgers are reconciled',
    );
  }

  private unreadable(reader: Reader | undefined): ScalerError | undefined {
    const { link } = this.options;
    if (link.fault !== undefined) {
      const message = `events that were kept cannot be read while NATS is away: ${link.fault}`;
      return new ScalerError('unavailable', message);
    }
    const fault = this.stream.fault ?? reader?.fault;
    if (fault === undefined) return undefined;
    const message = `events that were kept cannot be read, since their stream cannot be used: ${fault}`;
    return new ScalerError('unavailable', message);
  }

  private checkSize(bytes: number): void {
    const { current } = this.stream;
    if (current === undefined || bytes <= mostBytes(current)) return;
    throw new ScalerError(
      'invalid',
      `an event of ${bytes} bytes is larger than NATS takes: see its max_payload, and max_msg_size of the stream`,
    );
  }

  /** Sends waiting events, group by group, until none is left. Events that were not taken go again before later ones. */
  private async forward(): Promise<void> {
    // Events appended in this turn all go into the first group.
    await undefined;
    while (this.outbox.size > 0 && !this.closing.signal.aborted) {
      const ready = await this.stream.ready();
      if (ready === undefined) return;
      await this.send(this.outbox.group(), ready);
    }
  }

  private async send(group: readonly Outgoing[], ready: Ready): Promise<void> {
    const late = setTimeout(() => this.stall(), lateMs);
    const done = new Set<Outgoing>();
    const dropped: Outgoing[] = [];
    const faults: unknown[] = [];
    const refused = new Set<string>();
    const sent = group.map(async (outgoing) => {
      try {
        if (outgoing.payload.length > mostBytes(ready)) dropped.push(outgoing);
        else await this.publish(outgoing, ready);
        done.add(outgoing);
      } catch (reason) {
        if (isTooLarge(reason)) {
          dropped.push(outgoing);
          return;
        }
        faults.push(reason);
        refused.add(outgoing.event.connection);
      }
    });
    await untilAborted(Promise.all(sent), ready.signal);
    clearTimeout(late);
    for (const outgoing of dropped) done.add(outgoing);
    this.outbox.remove(done);
    // What only one connection may not send must not stop the others.
    if (refused.size > 0) this.outbox.defer(refused);
    this.drop(dropped);
    this.options.metrics.eventLogForwarded.inc(done.size - dropped.length);
    this.count();
    const [fault] = faults;
    if (ready.signal.aborted) return this.stall();
    if (fault === undefined) return this.recovered();
    this.stall();
    this.say(streamFault(fault));
    if (!isRefusal(fault)) this.stream.suspect(ready);
    await sleep(retryMs, undefined, { signal: this.closing.signal }).catch(() => undefined);
  }

  /** An event that the stream will never take must not hold up the others. */
  private drop(dropped: readonly Outgoing[]): void {
    if (dropped.length === 0) return;
    this.options.metrics.eventLogDropped.inc({ reason: 'too_large' }, dropped.length);
    for (const { event, payload, settle } of dropped) {
      settle(false);
      const { connection, type, id } = event;
      this.options.log.error(
        { connection, type, id, bytes: payload.length },
        'an event is lost to the other pods: it is larger than NATS takes, by max_payload or the max_msg_size of the stream',
      );
    }
  }

  private async publish({ event, payload, settle }: Outgoing, { up, signal }: Ready): Promise<void> {
    const { stream, requestTimeoutMs } = this.options.settings;
    const { seq } = await up.jetstream.publish(subjectOf(stream, event.connection), payload, {
      msgID: messageId(event),
      timeout: Math.min(requestTimeoutMs, answerMs),
    });
    // After a break the answer may come from a stream that no longer exists.
    if (!signal.aborted) this.stream.seen(seq);
    void Promise.all(this.readersOf(event).map((reader) => reader.reached(seq))).then(() => settle(true));
  }

  private stall(): void {
    this.stalled = true;
    this.outbox.settleAll();
  }

  private say(error: string): void {
    if (this.said === error) return;
    this.said = error;
    this.options.log.error(
      { error },
      'NATS does not take events: they are kept in memory, within eventLog.maxBuffered',
    );
  }

  private recovered(): void {
    this.stalled = false;
    if (this.said === undefined) return;
    this.said = undefined;
    this.options.log.info({ events: this.outbox.size }, 'NATS takes events again');
  }

  private count(): void {
    this.options.metrics.eventLogBuffered.set(this.outbox.size);
  }
}

const unheard = new ScalerError(
  'unavailable',
  'NATS has sent nothing of the event log for seconds: what the other pods receive is not known',
);

/** More than a message's headers need. */
const headerBytes = 128;

/** The largest event that the server and the stream take. */
function mostBytes({ up, maxMessageBytes }: Ready): number {
  return Math.min(up.connection.info?.max_payload ?? Number.POSITIVE_INFINITY, maxMessageBytes) - headerBytes;
}

/** Resolves when the work is done, or `signal` is aborted. */
async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let abort = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
    signal.addEventListener('abort', abort, { once: true });
  });
  await Promise.race([work, aborted]);
  signal.removeEventListener('abort', abort);
}
