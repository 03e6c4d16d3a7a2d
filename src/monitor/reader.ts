import { ScalerError } from '../errors.ts';
import type { AnyConnection, SubjectRef } from '../sources/source.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ConfiguredConnection } from '../trigger/trigger.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';

/** The longest a read may take before its subjects are told that it failed and are read again. */
export const readTimeoutMs = 30_000;

/** Reads whose time is this near go out together. */
const togetherMs = 5;

export interface ReaderOptions {
  configured: ConfiguredConnection;
  connection: AnyConnection;
  metrics: Metrics;
  monitorOptions: Omit<MonitorOptions, 'source' | 'config' | 'connection' | 'onWake'>;
}

/** The monitors of one connection, and the clock that reads them: all that are due, in one call. */
export class Reader {
  readonly configured: ConfiguredConnection;
  readonly connection: AnyConnection;
  private readonly options: ReaderOptions;
  private readonly monitors = new Map<string, Monitor>();
  private readonly stop = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;
  private flushing = false;

  constructor(options: ReaderOptions) {
    this.options = options;
    this.configured = options.configured;
    this.connection = options.connection;
  }

  get size(): number {
    return this.monitors.size;
  }

  all(): Iterable<Monitor> {
    return this.monitors.values();
  }

  get(key: string): Monitor | undefined {
    return this.monitors.get(key);
  }

  /** The subject's monitor, made when it is the first trigger that asks for it. */
  monitor(ref: SubjectRef<unknown>): Monitor {
    const existing = this.monitors.get(ref.key);
    if (existing) return existing;
    const { source, config } = this.configured;
    const monitor = new Monitor(ref, {
      ...this.options.monitorOptions,
      source,
      config,
      connection: this.connection,
      onWake: (cause) => {
        this.options.metrics.wakes.inc({ ...this.labels, cause });
        this.rearm();
      },
    });
    this.monitors.set(ref.key, monitor);
    return monitor;
  }

  /** Lets go of a monitor that no trigger needs. */
  dropIfEmpty(key: string): void {
    const monitor = this.monitors.get(key);
    if (!monitor?.empty) return;
    monitor.close();
    this.monitors.delete(key);
  }

  private get labels(): { source: string; connection: string } {
    return { source: this.configured.source.kind, connection: this.configured.name };
  }

  /** Sets the clock to the first monitor that is due. What is due now is read in this turn's microtasks. */
  rearm(): void {
    if (this.stop.signal.aborted || this.flushing) return;
    const nowMs = this.options.monitorOptions.now();
    let next = Number.POSITIVE_INFINITY;
    for (const monitor of this.monitors.values()) {
      if (!monitor.reading) next = Math.min(next, monitor.dueAtMs);
    }
    if (next <= nowMs) {
      // A microtask, so that all whom one event wakes go into one request.
      this.flushing = true;
      queueMicrotask(() => this.flush());
      return;
    }
    if (next === this.timerAtMs) return;
    clearTimeout(this.timer);
    this.timerAtMs = next;
    if (next === Number.POSITIVE_INFINITY) return;
    this.timer = setTimeout(() => {
      this.timerAtMs = Number.POSITIVE_INFINITY;
      this.flush();
    }, next - nowMs);
  }

  private flush(): void {
    this.flushing = false;
    if (this.stop.signal.aborted) return;
    const nowMs = this.options.monitorOptions.now();
    const due = [...this.monitors.values()].filter(
      (monitor) => !monitor.reading && monitor.dueAtMs <= nowMs + togetherMs,
    );
    if (due.length > 0) void this.read(due, nowMs);
    this.rearm();
  }

  private async read(due: readonly Monitor[], nowMs: number): Promise<void> {
    const pending = new Map(due.map((monitor) => [monitor.key, monitor]));
    for (const monitor of due) monitor.begin(nowMs);
    const deliver = (key: string, result: Parameters<Monitor['delivered']>[0]) => {
      const monitor = pending.get(key);
      if (!monitor || !pending.delete(key)) return;
      this.count(result, nowMs);
      monitor.delivered(result);
      this.rearm();
    };
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), readTimeoutMs);
    let error = new ScalerError('unavailable', 'the source did not answer in time');
    try {
      const subjects = due.map((monitor) => monitor.subject);
      const signal = AbortSignal.any([timeout.signal, this.stop.signal]);
      await Promise.race([this.connection.read(subjects, deliver, signal), aborted(signal)]);
    } catch (reason) {
      error = ScalerError.from(reason, 'unavailable');
    } finally {
      clearTimeout(timer);
      timeout.abort();
      for (const key of [...pending.keys()]) deliver(key, error);
    }
  }

  private count(result: unknown, sinceMs: number): void {
    const { metrics, monitorOptions } = this.options;
    const outcome = result instanceof ScalerError ? 'error' : 'ok';
    metrics.sourceReads.inc({ ...this.labels, outcome });
    metrics.sourceReadDuration.observe(
      { source: this.configured.source.kind },
      (monitorOptions.now() - sinceMs) / 1000,
    );
  }

  async close(): Promise<void> {
    this.stop.abort();
    clearTimeout(this.timer);
    for (const monitor of this.monitors.values()) monitor.close();
    this.monitors.clear();
    await this.connection.close();
  }
}

/** Resolves when the signal aborts, so that a source that ignores it cannot hold its subjects for ever. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
