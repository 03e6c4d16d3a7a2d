import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamConfig, StreamInfo } from '@nats-io/jetstream';
import { epochNowMs } from '../../clock.ts';
import { ScalerError } from '../../errors.ts';
import type { NatsLink, Up } from '../../pods/link.ts';
import type { InboundEvent, KeptSince } from '../../sources/inbound.ts';
import type { Logger } from '../../telemetry/log.ts';
import { isNotFound, isToSay, streamFault } from './faults.ts';
import { Heads, streamKey, token } from './heads.ts';
import {
  firstMs,
  isDamage,
  limitOf,
  limitsOf,
  nanosPerMs,
  type StreamHead,
  sinceRaise,
  streamHead,
} from './since.ts';

export interface StreamSettings {
  readonly stream: string;
  readonly replicas: number;
  readonly retentionSeconds: number;
  readonly maxEventsPerConnection: number;
  readonly maxBytes: number;
}

/** The subject of a connection's events. Without a connection, that of all. */
export function subjectOf(stream: string, connection?: string): string {
  return `${stream}.events.${connection === undefined ? '*' : token(connection)}`;
}

/**
 * Two events with the same ID are one within the stream's window for duplicates. The fact is part of the ID, because
 * senders of CloudEvents only promise that IDs are unique among their own.
 */
export function messageId({ connection, type, id, fact }: InboundEvent): string {
  return createHash('sha256')
    .update(JSON.stringify([connection, type, id, fact]))
    .digest('base64url');
}

/** A usable stream. */
export interface Ready {
  readonly up: Up;
  /** It changes when the stream is another one or has lost its end. Then read from the beginning. */
  readonly epoch: number;
  /** When the server created it, as the server writes it. */
  readonly created: string;
  readonly maxMessageBytes: number;
  readonly heads: Heads;
  /** Aborted when the stream is no longer usable. */
  readonly signal: AbortSignal;
}

export interface LogStreamOptions {
  readonly settings: StreamSettings;
  readonly link: NatsLink;
  readonly log: Logger;
  /** Called each time the stream becomes usable or unusable. */
  readonly usable: (usable: boolean) => void;
}

const retryMs = 500;
/**
 * When another attempt begins beside those without an answer. A request to a server that has just died, or to a cluster
 * that elects a leader, is never answered. A slow NATS may still answer an earlier attempt.
 */
const attemptMs = 500;
/** How often the stream's leader is asked whether it is still there. */
const confirmEveryMs = 2_500;
/** Clocks that differ by less count as equal. */
const clockToleranceMs = 5_000;

/**
 * The stream of the event log. It creates the stream, sets its limits, and notices when the stream is another one. It
 * repeats this each time NATS comes back, or a user of the stream finds something wrong.
 */
export class LogStream {
  private readonly options: LogStreamOptions;
  private readonly waiting = new Set<(ready: Ready | undefined) => void>();
  private readonly unlink: () => void;
  private now: { readonly ready: Ready; readonly gone: AbortController } | undefined;
  private closed = false;
  private epoch = 0;
  private head: StreamHead | undefined;
  private seenSequence = 0;
  private leaderAtMs = performance.now();
  private ahead = 0;
  private confirming: NodeJS.Timeout | undefined;
  private said: string | undefined;
  private saidReady = false;
  private saidClock = false;
  private hasLimits = false;

  constructor(options: LogStreamOptions) {
    this.options = options;
    this.unlink = options.link.onUp((up) => {
      up.signal.addEventListener('abort', () => this.now?.ready.up === up && this.lose(), { once: true });
      void this.settle(up);
    });
  }

  /**
   * When the stream's leader last answered, in ms of `performance.now()`. A server that is cut off from the others goes on
   * with its consumers, and sends heartbeats, but it leads no stream after some seconds.
   */
  get confirmedAtMs(): number {
    return this.leaderAtMs;
  }

  /**
   * How far the clock of this process is ahead of that of NATS, in ms. 0 if they nearly agree. All times in the stream and
   * its bucket are by the clock of NATS, so that a pod with a wrong clock does not mislead the others.
   */
  get aheadMs(): number {
    return this.ahead;
  }

  /** Undefined while it is not usable. */
  get current(): Ready | undefined {
    return this.now?.ready;
  }

  /** Why it is not usable although NATS is connected. Undefined if it is, or if the reason is not known yet. */
  get fault(): string | undefined {
    return this.now === undefined ? this.said : undefined;
  }

  /** Resolves when it is usable; with undefined when it is closed. */
  ready(): Promise<Ready | undefined> {
    if (this.closed || this.now !== undefined) return Promise.resolve(this.now?.ready);
    return new Promise((resolve) => this.waiting.add(resolve));
  }

  /** A message with this sequence exists. A stream that later ends before it has lost messages. */
  seen(sequence: number): void {
    if (sequence > this.seenSequence) this.seenSequence = sequence;
  }

  /** Something is wrong with the stream. It is checked again before the next use. */
  suspect(ready: Ready): void {
    if (this.now?.ready !== ready) return;
    this.lose();
    if (!ready.up.signal.aborted) void this.settle(ready.up);
  }

  close(): void {
    this.closed = true;
    this.unlink();
    this.lose();
    for (const resolve of this.waiting) resolve(undefined);
    this.waiting.clear();
  }

  private lose(): void {
    clearInterval(this.confirming);
    this.now?.gone.abort();
    this.now = undefined;
    this.options.usable(false);
  }

  private async settle(up: Up): Promise<void> {
    const beganMs = performance.now();
    const settled = new AbortController();
    const over = AbortSignal.any([settled.signal, up.signal]);
    const attempt = async (): Promise<void> => {
      try {
        const ready = await this.setUp(up);
        if (this.closed || over.aborted) return;
        this.become(up, ready);
        settled.abort();
      } catch (reason) {
        if (this.closed || over.aborted) return;
        if (isToSay(reason, beganMs)) this.say(streamFault(reason));
        await sleep(retryMs, undefined, { signal: over }).catch(() => undefined);
      }
    };
    while (!this.closed && !over.aborted)
      await Promise.race([attempt(), sleep(attemptMs, undefined, { signal: over }).catch(() => undefined)]);
  }

  private become(up: Up, { messages, ...stream }: SetUp): void {
    const gone = new AbortController();
    const ready = { up, ...stream, epoch: this.epoch, signal: gone.signal };
    this.now = { ready, gone };
    clearInterval(this.confirming);
    this.confirming = setInterval(() => void this.confirm(ready), confirmEveryMs);
    if (!this.saidReady || this.said !== undefined) {
      const { stream: name } = this.options.settings;
      this.options.log.info({ stream: name, events: messages }, 'the event log has its stream in NATS');
    }
    this.saidReady = true;
    this.said = undefined;
    this.options.usable(true);
    for (const resolve of this.waiting) resolve(ready);
    this.waiting.clear();
  }

  private async confirm({ up }: Ready): Promise<void> {
    const sentAtMs = performance.now();
    const info = await up.manager.streams.info(this.options.settings.stream).catch(() => undefined);
    if (info !== undefined && hasLeader(info)) this.leaderAtMs = Math.max(this.leaderAtMs, sentAtMs);
  }

  private say(error: string): void {
    if (this.said === error) return;
    this.said = error;
    const { stream } = this.options.settings;
    this.options.log.error(
      { stream, error },
      'the event log cannot use its stream: events are kept in memory, within eventLog.maxBuffered, until it can',
    );
  }

  private async setUp(up: Up): Promise<SetUp> {
    const { settings, log } = this.options;
    // Several attempts may be under way. What is seen meanwhile says nothing about the answer to this one.
    const { seenSequence } = this;
    const sentAtMs = performance.now();
    const info = await this.made(up);
    if (hasLeader(info)) this.leaderAtMs = Math.max(this.leaderAtMs, sentAtMs);
    // A copy may lack what another server has.
    else if (info.state.last_seq < seenSequence)
      throw new ScalerError('unavailable', 'has no leader: its servers do not reach each other');
    this.compareClocks(info);
    const heads = await Heads.open(up, settings.stream, settings.replicas);
    const change = this.hasLimits ? undefined : await this.limitsToBe(up, info, heads);
    const { created, state } = info;
    const lost = state.lost?.msgs?.length ?? 0;
    const facts = { created, lost, lastSequence: state.last_seq, seenSequence };
    const before = this.head;
    const head = await heads.change<StreamHead>(streamKey, (known) => {
      const next = streamHead(known, facts, epochNowMs() - this.ahead);
      const since = change?.since;
      return since === undefined || next.atMs >= since.atMs ? next : { ...next, ...since };
    });
    await change?.make();
    this.hasLimits = true;
    this.head = head;
    if (before !== undefined && isDamage(before, head, facts)) {
      this.epoch += 1;
      this.seenSequence = 0;
      log.error(
        { stream: settings.stream, because: head.because },
        'the event log is damaged: its stream was made anew or has lost its end; numbers of `events` connections are not known for ttlSeconds',
      );
    }
    const maxMessageBytes = limitOf(info.config.max_msg_size);
    return { heads, created, maxMessageBytes, messages: state.messages };
  }

  private compareClocks({ ts }: StreamInfo): void {
    const aheadMs = ts === undefined ? 0 : epochNowMs() - Date.parse(ts);
    this.ahead = Math.abs(aheadMs) < clockToleranceMs ? 0 : aheadMs;
    if (this.ahead === 0 || this.saidClock) return;
    this.saidClock = true;
    this.options.log.warn(
      { aheadSeconds: Math.round(aheadMs / 1000) },
      'the clocks of this pod and of NATS differ: set both by NTP',
    );
  }

  private async made({ manager }: Up): Promise<StreamInfo> {
    const { stream } = this.options.settings;
    const subjects = [subjectOf(stream)];
    const info = await manager.streams.info(stream).catch((reason: unknown) => {
      if (!isNotFound(reason)) throw reason;
      return manager.streams.add({ ...configOf(this.options.settings), subjects });
    });
    const { config } = info;
    if (JSON.stringify(config.subjects) !== JSON.stringify(subjects))
      throw new ScalerError(
        'invalid',
        'has other subjects: it is for something else. Name another in eventLog.stream',
      );
    if (config.retention !== 'limits' || config.storage !== 'file')
      throw new ScalerError(
        'invalid',
        'does not keep its events: it needs `retention: limits` and `storage: file`. Name another in eventLog.stream',
      );
    return info;
  }

  /**
   * Undefined if the stream already has the configured limits. Otherwise since when it is whole under them, and the call
   * that sets them. Done once in a process, so that pods with different limits do not take turns.
   */
  private async limitsToBe(
    { manager }: Up,
    info: StreamInfo,
    heads: Heads,
  ): Promise<{ since: KeptSince | undefined; make(): Promise<void> } | undefined> {
    const { settings, log } = this.options;
    const { stream } = settings;
    const { name: _, ...wanted } = configOf(settings);
    const is: Partial<Record<string, unknown>> = info.config;
    if (Object.entries(wanted).every(([key, value]) => is[key] === value)) return undefined;
    const before = limitsOf(info.config);
    const after = limitsOf(wanted);
    const nowMs = epochNowMs() - this.ahead;
    if (after.maxCount > before.maxCount) {
      const { state } = await manager.streams.info(stream, { subjects_filter: subjectOf(stream) });
      const full = Object.entries(state.subjects ?? {}).filter(([, count]) => count >= before.maxCount);
      const dropped: KeptSince = { atMs: nowMs, because: 'dropped' };
      for (const [subject] of full)
        await heads.change(subject.slice(subjectOf(stream, '').length), () => dropped);
    }
    const make = async (): Promise<void> => {
      try {
        await manager.streams.update(stream, { ...info.config, ...wanted });
        log.info({ stream }, 'the stream of the event log has the limits of the configuration now');
      } catch (reason) {
        const error = streamFault(reason);
        log.warn(
          { stream, error },
          'the stream of the event log keeps its own limits, not those of eventLog',
        );
      }
    };
    const streamFirstMs = firstMs(info);
    return { since: sinceRaise(before, after, { bytes: info.state.bytes, streamFirstMs }, nowMs), make };
  }
}

/** A server that is cut off from the others answers too, from its own copy. It knows of no leader. */
function hasLeader({ cluster }: StreamInfo): boolean {
  return cluster === undefined || Boolean(cluster.leader);
}

interface SetUp extends Pick<Ready, 'heads' | 'created' | 'maxMessageBytes'> {
  readonly messages: number;
}

const dedupeMs = 120_000;

function configOf(settings: StreamSettings) {
  const { stream, replicas, retentionSeconds, maxEventsPerConnection, maxBytes } = settings;
  const maxAgeMs = Math.ceil(retentionSeconds * 1000);
  return {
    name: stream,
    max_age: maxAgeMs * nanosPerMs,
    max_msgs_per_subject: maxEventsPerConnection,
    max_bytes: maxBytes,
    num_replicas: replicas,
    duplicate_window: Math.min(dedupeMs, maxAgeMs) * nanosPerMs,
    // Nobody could tell events that were taken out by hand from events that never were.
    deny_purge: true,
    deny_delete: true,
  } satisfies Partial<StreamConfig>;
}
