import { ScalerError } from '../errors.ts';
import type { EventFeed } from '../sources/source.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { TriggerBook } from '../trigger/book.ts';
import type { ConfiguredConnection, Reference, Trigger } from '../trigger/trigger.ts';
import type { Activity, Answer } from './answer.ts';
import type { Decided } from './decision.ts';
import { FailureLog } from './failure-log.ts';
import { FirstSyncs } from './first-syncs.ts';
import type { Monitor } from './monitor.ts';
import { Reader } from './reader.ts';
import { Register, type RegisterLimits } from './register.ts';
import { statusOf, type TriggerStatus } from './status.ts';
import type { TriggerState } from './trigger-state.ts';

/** How often triggers that nobody asks for any more are looked for. */
export const sweepMs = 5_000;

export interface BoardLimits extends RegisterLimits {
  maxStalenessSeconds: number;
  firstSyncTimeoutSeconds: number;
}

export interface BoardOptions {
  book: TriggerBook;
  limits: BoardLimits;
  log: Logger;
  metrics: Metrics;
  /** The verified events of a connection; where there is nothing that takes any, none come. */
  feedOf?: (connection: string) => EventFeed;
  /** Is told of every decision. */
  decided?: Decided;
  now?: () => number;
  random?: () => number;
}

/** The feed of a scaler that takes nothing in. */
const silence: EventFeed = {
  durable: false,
  keptSinceMs: () => performance.timeOrigin,
  follow: (_, replayed) => {
    replayed?.();
    return () => {};
  },
};

interface Place {
  reader: Reader;
  monitor: Monitor;
}

/** All monitors and all live triggers: everything an RPC is answered from. */
export class Board {
  private readonly options: BoardOptions;
  private readonly now: () => number;
  private readonly random: () => number;
  private readonly register: Register;
  private readonly readers = new Map<string, Reader>();
  private readonly places = new Map<TriggerState, Place>();
  private readonly syncs = new FirstSyncs();
  private readonly sweeper: NodeJS.Timeout;

  constructor(options: BoardOptions) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    this.random = options.random ?? Math.random;
    this.register = new Register(options.limits, this.now, options.decided ?? (() => {}));
    this.sweeper = setInterval(() => this.sweep(), sweepMs);
    this.countGauges();
  }

  /**
   * Opens the connections of a configuration and closes those that are gone or changed; their triggers move
   * and go on serving what they know. Throws ScalerError, with nothing changed, where one cannot be opened.
   */
  use(connections: ReadonlyMap<string, ConfiguredConnection>, limits: BoardLimits): void {
    const opened: Reader[] = [];
    try {
      for (const configured of connections.values()) {
        if (this.readers.get(configured.name)?.configured.fingerprint === configured.fingerprint) continue;
        opened.push(this.open(configured));
      }
    } catch (reason) {
      for (const reader of opened) void reader.close();
      throw ScalerError.from(reason, 'invalid');
    }
    const fresh = new Set(opened.map(({ configured }) => configured.name));
    const closing = [...this.readers.values()].filter(
      ({ configured: { name } }) => fresh.has(name) || !connections.has(name),
    );
    for (const { configured } of closing) {
      this.readers.delete(configured.name);
      this.syncs.stop(configured.name);
    }
    for (const reader of opened) this.readers.set(reader.configured.name, reader);
    this.register.limits = limits;
    this.options.book.use({
      connections,
      maxStalenessSeconds: limits.maxStalenessSeconds,
      maxRemembered: limits.triggers,
    });
    for (const state of this.register.all()) {
      const place = this.places.get(state);
      if (!place || closing.includes(place.reader)) this.move(state);
    }
    for (const reader of closing) void this.closeReader(reader);
    for (const { configured, connection } of opened) {
      this.syncs.await(configured.name, connection, limits.firstSyncTimeoutSeconds * 1000);
    }
  }

  private open(configured: ConfiguredConnection): Reader {
    const { name, source, config } = configured;
    const { metrics } = this.options;
    const log = this.options.log.child({ source: source.kind, connection: name });
    const connection = source.connect(config, {
      name,
      log,
      metrics: metrics.forConnection(source.kind, name),
      events: this.options.feedOf?.(name) ?? silence,
      wake: (key, cause) => this.readers.get(name)?.get(key)?.wake(cause),
    });
    const monitorOptions = {
      failures: new FailureLog(log),
      now: this.now,
      random: this.random,
      onEdge: () => metrics.edges.inc({ source: source.kind }),
    };
    return new Reader({ configured, connection, metrics, monitorOptions });
  }

  /** The connections whose first sync readiness still waits for. */
  syncing(): readonly string[] {
    return this.syncs.names;
  }

  trigger(reference: Reference): Trigger {
    return this.options.book.trigger(reference);
  }

  /** From memory; a cold trigger's first call waits for its first reading, within the cold time. */
  async answer(trigger: Trigger, caller: { readonly signal: AbortSignal }): Promise<Answer> {
    const state = this.stateOf(trigger);
    state.lease.renew(this.now());
    while (state.cold(this.now()) && !caller.signal.aborted) {
      await state.settled(this.now(), caller.signal);
    }
    state.look(this.now());
    return state.answer(this.now());
  }

  follow(trigger: Trigger, told: (activity: Activity) => void): () => void {
    return this.stateOf(trigger).follow(told, this.now);
  }

  /** A hint that something may have happened; without a name, to all subjects of the connection. False: none. */
  hint(connection: string, hintName: string | undefined, cause: string): boolean {
    return this.readers.get(connection)?.hint(hintName, cause) ?? false;
  }

  *statuses(): Iterable<TriggerStatus> {
    for (const state of this.register.all()) yield statusOf(state, this.now());
  }

  private stateOf(trigger: Trigger): TriggerState {
    const existing = this.register.get(trigger.id);
    if (existing) return existing;
    const state = this.register.add(trigger);
    this.place(state);
    return state;
  }

  /** Puts a trigger on its subject's monitor. */
  private place(state: TriggerState): void {
    const { connection, params } = state.trigger;
    const reader = this.readers.get(connection.name);
    if (!reader) {
      state.lose(new ScalerError('unavailable', `connection ${connection.name} is not open`));
      return;
    }
    const ref = reader.connection.subject(params);
    const monitor = reader.monitor(ref);
    this.places.set(state, { reader, monitor });
    monitor.join(state, ref.need);
    reader.expect(monitor);
  }

  private displace(state: TriggerState): void {
    const place = this.places.get(state);
    this.places.delete(state);
    place?.monitor.leave(state);
    place?.reader.dropIfEmpty(place.monitor.key);
  }

  /** The trigger's connection has changed: what its reference means now decides. */
  private move(state: TriggerState): void {
    this.displace(state);
    try {
      state.moveTo(this.options.book.trigger(state.trigger.reference));
      this.place(state);
    } catch (reason) {
      state.lose(ScalerError.from(reason));
    }
  }

  private sweep(): void {
    for (const state of this.register.takeExpired()) this.displace(state);
    const nowMs = this.now();
    for (const state of this.register.all()) state.look(nowMs);
  }

  /** Gauges are counted when they are asked for. */
  private countGauges(): void {
    const { metrics } = this.options;
    metrics.onCollect(() => {
      metrics.triggers.reset();
      metrics.subjects.reset();
      for (const { trigger } of this.register.all()) metrics.triggers.inc({ source: trigger.source.kind });
      for (const reader of this.readers.values()) {
        metrics.subjects.inc({ source: reader.configured.source.kind }, reader.size);
      }
    });
  }

  private async closeReader(reader: Reader): Promise<void> {
    await reader.close().catch((reason: unknown) => {
      const { message } = ScalerError.from(reason);
      this.options.log.warn(
        { connection: reader.configured.name, error: message },
        'connection did not close',
      );
    });
    // Only now: while it closed it could still count.
    if (!this.readers.has(reader.configured.name))
      this.options.metrics.forgetConnection(reader.configured.name);
  }

  async close(): Promise<void> {
    clearInterval(this.sweeper);
    const readers = [...this.readers.values()];
    for (const { configured } of readers) this.syncs.stop(configured.name);
    this.readers.clear();
    await Promise.all(readers.map((reader) => this.closeReader(reader)));
  }
}
