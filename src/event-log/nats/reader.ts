import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, ConsumerMessages, JsMsg, StreamInfo } from '@nats-io/jetstream';
import { epochNowMs } from '../../clock.ts';
import { fromJson } from '../../errors.ts';
import type { InboundEvent, KeptSince } from '../../sources/inbound.ts';
import type { Logger } from '../../telemetry/log.ts';
import { ownTurn } from '../../turns.ts';
import { type Follower, hand } from '../followers.ts';
import { eventOf } from '../level-store.ts';
import { isRefusal, isToSay, streamFault } from './faults.ts';
import { firstMs, keptSince, limitOf, limitsOf, nanosPerMs, type StreamPart } from './since.ts';
import { type LogStream, type Ready, subjectOf } from './stream.ts';

export interface ReaderOptions {
  readonly stream: LogStream;
  /** The stream's name. */
  readonly name: string;
  readonly follower: Follower;
  /** Called when the follower has every kept event, and again after the stream has lost some, or after `cutOffSinceMs`. */
  readonly replayed: (since: KeptSince) => void;
  /** Whether events of this pod wait for the stream to take them. */
  readonly waits: () => boolean;
  readonly log: Logger;
}

/** The longest that handing over takes in one turn of the event loop. */
const turnMs = 5;
/** The most messages that the server sends ahead. */
const ahead = 256;
const retryMs = 500;
/** How often the server sends a heartbeat while it has no message. Two missed ones count as a break. */
const heartbeatMs = 1_000;
/** How long the stream may be without a leader. Elections take less, and meanwhile no pod can store an event. */
const leaderlessMs = 15_000;
/** How often a reader that has yet to catch up asks whether it has: its last messages may have been dropped meanwhile. */
const idleMs = 2_000;

/** A connection's part of the stream, as it was when a read began. All times are by the clock of NATS. */
type Part = Omit<StreamPart, 'count' | 'firstMs'> & {
  readonly beganMs: number;
  count: number;
  firstMs: number | undefined;
};

/** Hands a connection's events to a follower, from the beginning of the stream and then as they come. */
export class Reader {
  private readonly options: ReaderOptions;
  private readonly closing = new AbortController();
  private epoch: number | undefined;
  /** Sequence of the last message that was handed over, and when it was stored, in ms since 1970. */
  private after = 0;
  private afterMs: number | undefined;
  /** Undefined before the first read of an epoch. */
  private since: KeptSince | undefined;
  /** Undefined once the reader has caught up. */
  private part: Part | undefined;
  private isReplayed = false;
  /** When the server last sent a message or a heartbeat to the caught-up reader, in ms of `performance.now()`. */
  private heardMs = Number.NEGATIVE_INFINITY;
  /** When the first event came that the follower has, but the stream does not. */
  private aheadSinceMs: number | undefined;
  /** Whether the follower has asked, and knows that it is cut off. */
  private knowsCutOff = false;
  /** Senders that wait until the follower has an event from the stream, by its sequence. */
  private readonly awaited = new Map<number, (() => void)[]>();
  private failingSinceMs: number | undefined;
  private said: string | undefined;

  constructor(options: ReaderOptions) {
    this.options = options;
    void this.run();
  }

  /**
   * Since when the follower may lack events of other pods. Undefined if it surely has every event, or never caught up. After
   * a caller has got a time, `replayed` is called when the events are there.
   */
  cutOffSinceMs(): number | undefined {
    const sinceMs = this.silentSinceMs();
    const firstMs = Math.min(
      sinceMs ?? Number.POSITIVE_INFINITY,
      this.aheadSinceMs ?? Number.POSITIVE_INFINITY,
    );
    this.knowsCutOff ||= Number.isFinite(firstMs);
    return Number.isFinite(firstMs) ? firstMs : undefined;
  }

  private silentSinceMs(): number | undefined {
    if (this.heardMs === Number.NEGATIVE_INFINITY) return undefined;
    const nowMs = performance.now();
    const { confirmedAtMs } = this.options.stream;
    if (nowMs - confirmedAtMs > leaderlessMs) return Math.min(this.heardMs, confirmedAtMs);
    return nowMs - this.heardMs <= 2 * heartbeatMs ? undefined : this.heardMs;
  }

  /**
   * Hands over an event that this pod has received at `receivedMs`, of `performance.now()`, and that the stream has not
   * taken. From then on the follower is in a state in which the stream never was.
   */
  takeAhead(event: InboundEvent, receivedMs: number): void {
    // The replay brings it, once the stream has it.
    if (!this.isReplayed || this.closing.signal.aborted) return;
    this.aheadSinceMs = Math.min(this.aheadSinceMs ?? receivedMs, receivedMs);
    this.give(event);
  }

  /** Resolves when the follower has the event with this sequence. At once if the reader has yet to catch up. */
  async reached(sequence: number): Promise<void> {
    if (!this.isReplayed || this.part !== undefined || this.after >= sequence) return;
    await new Promise<void>((resolve) => {
      this.awaited.set(sequence, [...(this.awaited.get(sequence) ?? []), resolve]);
    });
  }

  get connection(): string {
    return this.options.follower.connection;
  }

  /** Why the connection's events cannot be read. Undefined if they can, or if the reason is not known yet. */
  get fault(): string | undefined {
    return this.said;
  }

  close(): void {
    this.closing.abort();
    this.letGo();
  }

  private async run(): Promise<void> {
    const { stream } = this.options;
    const { signal } = this.closing;
    while (!signal.aborted) {
      const ready = await stream.ready();
      if (ready === undefined || signal.aborted) return;
      if (ready.epoch !== this.epoch) this.begin(ready.epoch);
      try {
        await this.read(ready, AbortSignal.any([signal, ready.signal]));
      } catch (reason) {
        if (signal.aborted || ready.signal.aborted) continue;
        this.failed(reason);
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
        // One connection that is refused, as by a limit of consumers, must not stop the others.
        if (isRefusal(reason)) continue;
      } finally {
        this.brokeOff();
      }
      // Whatever ended the read, the stream may have been deleted and created again.
      if (!signal.aborted) stream.suspect(ready);
    }
  }

  private begin(epoch: number): void {
    this.epoch = epoch;
    this.after = 0;
    this.afterMs = undefined;
    this.since = undefined;
    this.part = undefined;
    this.isReplayed = false;
  }

  private failed(reason: unknown): void {
    const { follower, log } = this.options;
    this.failingSinceMs ??= performance.now();
    if (!isToSay(reason, this.failingSinceMs)) return;
    const error = streamFault(reason);
    const isSaid = this.said !== undefined;
    this.said = error;
    // The next error may only name another consumer.
    if (isSaid) return;
    log.error(
      { connection: follower.connection, error },
      'the event log cannot read the events of a connection: its numbers grow old, or are unknown, until it can',
    );
  }

  /** Continues after the last message, until `signal` is aborted or the consumer is gone. */
  private async read(ready: Ready, signal: AbortSignal): Promise<void> {
    const { name, follower } = this.options;
    const { manager, jetstream } = ready.up;
    const beganMs = epochNowMs() - this.options.stream.aheadMs;
    const connection = await ready.heads.ofConnection(follower.connection, beganMs);
    const stream = await ready.heads.stream(beganMs);
    const info = await manager.streams.info(name);
    // Another stream, or one that has lost its end: sequences would begin again.
    if (info.created !== ready.created || info.state.last_seq < this.after) return;
    const consumer = await jetstream.consumers.get(name, {
      filter_subjects: subjectOf(name, follower.connection),
      opt_start_seq: this.after + 1,
    });
    const { num_pending: count } = await consumer.info(true);
    const known = this.since === undefined ? [stream, connection] : [this.since];
    this.part = { ...this.partOf(info), beganMs, known, count };
    const messages = await consumer.consume({
      max_messages: ahead,
      expires: 10_000,
      idle_heartbeat: heartbeatMs,
      abort_on_missing_resource: true,
    });
    const stop = (): void => messages.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const idle = setInterval(() => void this.lookIdle(consumer), idleMs);
    void this.listen(messages);
    try {
      if (count === 0) this.caughtUp();
      await this.handAll(messages, count);
    } finally {
      clearInterval(idle);
      signal.removeEventListener('abort', stop);
      if (ready.up.signal.aborted === false) consumer.delete().catch(() => undefined);
    }
  }

  private partOf({ config, state, ts }: StreamInfo): Omit<Part, 'beganMs' | 'known' | 'count'> {
    // By the server's clock, as the times of its messages. Some events of the last heartbeats may not have come.
    const serverNowMs = ts === undefined ? epochNowMs() : Date.parse(ts);
    const heardMs = serverNowMs - (performance.now() - this.heardMs) - 2 * heartbeatMs;
    const readUntilMs = this.since === undefined ? undefined : Math.max(heardMs, this.afterMs ?? heardMs);
    return {
      ...limitsOf(config),
      readUntilMs,
      firstMs: undefined,
      streamFirstMs: firstMs({ state }),
      messages: state.messages,
      maxMessages: limitOf(config.max_msgs),
      bytes: state.bytes,
    };
  }

  /**
   * When heartbeats are missed, the client asks for the same consumer again and again. A consumer lives on one server, and
   * while that is away nothing answers. So the read stops here, and the next one creates another consumer.
   */
  private async listen(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) {
      if (type === 'heartbeat') this.heard();
      else if (type === 'heartbeats_missed') messages.stop();
    }
  }

  private async handAll(messages: ConsumerMessages, pending: number): Promise<void> {
    let count = 0;
    let turnEndsMs = performance.now() + turnMs;
    for await (const message of messages) {
      if (this.closing.signal.aborted) return;
      this.hand(message);
      count += 1;
      if (count >= pending || message.info.pending === 0) this.caughtUp();
      if (performance.now() < turnEndsMs) continue;
      await ownTurn();
      turnEndsMs = performance.now() + turnMs;
    }
  }

  private hand(message: JsMsg): void {
    const { stream, follower } = this.options;
    const { streamSequence, timestampNanos, pending } = message.info;
    const storedMs = timestampNanos / nanosPerMs;
    if (this.part !== undefined && this.part.firstMs === undefined) {
      this.part.firstMs = storedMs;
      // More may have come since the consumer was made, and pushed out events that it had not sent.
      this.part.count = Math.max(this.part.count, pending + 1);
    }
    this.after = streamSequence;
    this.afterMs = storedMs;
    this.heard();
    stream.seen(streamSequence);
    const event = eventOf(fromJson(message.string()));
    if (event?.connection === follower.connection)
      this.give({ ...event, receivedAtMs: event.receivedAtMs + stream.aheadMs });
    for (const resolve of this.awaited.get(streamSequence) ?? []) resolve();
    this.awaited.delete(streamSequence);
  }

  private give(event: InboundEvent): void {
    hand(event, this.options.follower, this.options.log);
  }

  /** Nobody waits for an event of the stream any longer. */
  private letGo(): void {
    for (const resolves of this.awaited.values()) for (const resolve of resolves) resolve();
    this.awaited.clear();
  }

  /** A reader that has yet to catch up does not have every event. */
  private heard(): void {
    if (this.part !== undefined) return;
    this.heardMs = performance.now();
    if (!this.options.waits()) this.aheadSinceMs = undefined;
    if (!this.knowsCutOff || this.cutOffSinceMs() !== undefined) return;
    this.knowsCutOff = false;
    this.tellReplayed();
  }

  private tellReplayed(): void {
    if (this.since === undefined) return;
    this.options.replayed({ ...this.since, atMs: this.since.atMs + this.options.stream.aheadMs });
  }

  /** Notices that a reader has caught up whose last messages the stream has dropped meanwhile: no message would tell it. */
  private async lookIdle(consumer: Consumer): Promise<void> {
    const { after, part } = this;
    if (part === undefined) return;
    const info = await consumer.info().catch(() => undefined);
    if (part !== this.part) return;
    if (info?.num_pending === 0 && info.delivered.stream_seq <= after) this.caughtUp();
  }

  private caughtUp(): void {
    const { part, since: before } = this;
    if (part === undefined || this.closing.signal.aborted) return;
    this.part = undefined;
    const since = keptSince(part, part.beganMs);
    this.since = since;
    this.heard();
    this.failingSinceMs = undefined;
    this.said = undefined;
    if (this.isReplayed && since === before) return;
    this.isReplayed = true;
    this.tellReplayed();
  }

  /** A read ended before the reader had caught up. What was dropped of what it read must not be forgotten. */
  private brokeOff(): void {
    const { part } = this;
    this.part = undefined;
    this.letGo();
    if (part?.firstMs !== undefined) this.since = keptSince(part, part.beganMs);
  }
}
