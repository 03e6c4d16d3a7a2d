import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, ConsumerMessages, JsMsg, StreamInfo } from '@nats-io/jetstream';
import { epochNowMs } from '../../clock.ts';
import { fromJson } from '../../errors.ts';
import type { KeptSince } from '../../sources/source.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Follower, Followers } from '../followers.ts';
import { eventOf } from '../level-store.ts';
import { keptSince } from './since.ts';
import {
  firstMs,
  type LogStream,
  limitsOf,
  nanosPerMs,
  type Ready,
  streamFault,
  subjectOf,
} from './stream.ts';

export interface ReaderOptions {
  readonly stream: LogStream;
  /** The stream's name. */
  readonly name: string;
  readonly follower: Follower;
  /** Called when the follower has every kept event, and again after the stream has lost some. */
  readonly replayed: (since: KeptSince) => void;
  /** Hands on this pod's own events before they come back from the stream. The follower joins it after its replay. */
  readonly live: Followers;
  readonly log: Logger;
}

/** The longest that handing over takes in one turn of the event loop. */
const turnMs = 5;
/** The most messages that the server sends ahead. */
const ahead = 256;
const retryMs = 500;
/** How often the server sends a heartbeat while it has no message. Two missed ones count as a break. */
const heartbeatMs = 2_500;
/** How often a replay checks whether it has reached the end: its last messages may have been dropped meanwhile. */
const idleMs = 2_000;

/** A connection's part of the stream, as it was when its replay began. */
interface Replay {
  readonly connection: KeptSince;
  readonly stream: KeptSince;
  readonly info: StreamInfo;
  readonly count: number;
  /** When the first of its events was stored, in ms since 1970. */
  firstMs: number | undefined;
}

/** Hands a connection's events to a follower, from the beginning of the stream and then as they come. */
export class Reader {
  private readonly options: ReaderOptions;
  private readonly closing = new AbortController();
  private epoch: number | undefined;
  /** Sequence of the last message that was handed over. */
  private after = 0;
  private replay: Replay | undefined;
  private isReplayed = false;
  /** When the server last sent a message or a heartbeat, in ms of `performance.now()`. */
  private heardMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReaderOptions) {
    this.options = options;
    void this.run();
  }

  /** Until when the reader surely has every event. Undefined if it hears the server now, or never heard it. */
  get wholeUntilMs(): number | undefined {
    if (this.heardMs === Number.NEGATIVE_INFINITY) return undefined;
    return performance.now() - this.heardMs <= 2 * heartbeatMs ? undefined : this.heardMs;
  }

  close(): void {
    this.closing.abort();
    this.options.live.remove(this.options.follower);
  }

  private async run(): Promise<void> {
    const { stream, follower, log } = this.options;
    const { signal } = this.closing;
    while (!signal.aborted) {
      const ready = await stream.ready();
      if (ready === undefined || signal.aborted) return;
      if (ready.epoch !== this.epoch) {
        this.epoch = ready.epoch;
        this.after = 0;
        this.replay = undefined;
        this.isReplayed = false;
      }
      try {
        await this.read(ready, AbortSignal.any([signal, ready.signal]));
      } catch (reason) {
        if (signal.aborted || ready.signal.aborted) continue;
        const { connection } = follower;
        log.debug({ connection, error: streamFault(reason) }, 'the event log cannot be read; trying again');
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      }
      // Whatever ended the read, the stream may have been deleted and created again.
      if (!signal.aborted) stream.suspect(ready);
    }
  }

  /** Continues after the last message, until `signal` is aborted or the consumer is gone. */
  private async read(ready: Ready, signal: AbortSignal): Promise<void> {
    const { name, follower } = this.options;
    const { manager, jetstream } = ready.up;
    const connection = await ready.heads.ofConnection(follower.connection);
    const stream = await ready.heads.stream();
    const info = await manager.streams.info(name);
    const consumer = await jetstream.consumers.get(name, {
      filter_subjects: subjectOf(name, follower.connection),
      opt_start_seq: this.after + 1,
    });
    const { num_pending: count } = await consumer.info(true);
    this.replay ??= { connection, stream, info, count, firstMs: undefined };
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
    this.heardMs = performance.now();
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

  /**
   * When heartbeats are missed, the client asks for the same consumer again and again. A consumer lives on one server, and
   * while that is away nothing answers. So the read stops here, and the next one creates another consumer.
   */
  private async listen(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) {
      if (type === 'heartbeat') this.heardMs = performance.now();
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
      await setImmediate();
      turnEndsMs = performance.now() + turnMs;
    }
  }

  private hand(message: JsMsg): void {
    const { stream, follower, live } = this.options;
    const { streamSequence, timestampNanos } = message.info;
    if (this.replay !== undefined) this.replay.firstMs ??= timestampNanos / nanosPerMs;
    this.after = streamSequence;
    this.heardMs = performance.now();
    stream.seen(streamSequence);
    const event = eventOf(fromJson(message.string()));
    if (event?.connection === follower.connection) live.hand(event, follower);
  }

  /** Ends a replay whose last messages the stream has dropped meanwhile: no message would end it. */
  private async lookIdle(consumer: Consumer): Promise<void> {
    if (this.isReplayed) return;
    const { after } = this;
    const info = await consumer.info().catch(() => undefined);
    if (info?.num_pending === 0 && info.delivered.stream_seq <= after) this.caughtUp();
  }

  private caughtUp(): void {
    if (this.isReplayed || this.replay === undefined || this.closing.signal.aborted) return;
    const { info, ...replay } = this.replay;
    this.isReplayed = true;
    const { maxAgeMs, maxCount, maxBytes } = limitsOf(info.config);
    const { bytes } = info.state;
    const kept = { ...replay, maxAgeMs, maxCount, maxBytes, bytes, streamFirstMs: firstMs(info) };
    this.options.live.add(this.options.follower);
    this.options.replayed(keptSince(kept, epochNowMs()));
  }
}
