import { ScalerError } from '../errors.ts';
import type { AnyConnection, Deliver, Delivered, SubjectRef } from '../sources/source.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { endRead, startRead } from '../telemetry/tracing.ts';
import type { ConfiguredConnection } from '../trigger/trigger.ts';
import { Hints } from './hints.ts';
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
  /** Another one after a reload that has left the connection open. */
  configured: ConfiguredConnection;
  readonly connection: AnyConnection;
  private readonly options: ReaderOptions;
  private readonly monitors = new Map<string, Monitor>();
  private readonly hints: Hints;
  private readonly urgent = new Set<Monitor>();
  private readonly underWay = new Set<AbortController>();
  private clock: NodeJS.Timeout | undefined;
  private clockAtMs = Number.POSITIVE_INFINITY;
  private stopped = false;

  constructor(options: ReaderOptions) {
    this.options = options;
    this.configured = options.configured;
    this.connection = options.connection;
    this.hints = new Hints({ monitors: this.monitors, random: options.monitorOptions.random });
  }

  get size(): number {
    return this.monitors.size;
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
        this.expect(monitor);
      },
    });
    this.monitors.set(ref.key, monitor);
    this.hints.add(monitor);
    return monitor;
  }

  /** Lets go of a monitor that no trigger needs. */
  dropIfEmpty(key: string): void {
    const monitor = this.monitors.get(key);
    if (!monitor?.empty) return;
    monitor.close();
    this.hints.remove(monitor);
    this.monitors.delete(key);
  }

  /** "Look now", to the subjects of a name, or to all; false: there are none. */
  hint(name: string | undefined, cause: string): boolean {
    return name === undefined ? this.hints.toAll(cause) : this.hints.toName(name, cause);
  }

  private get labels(): { source: string; connection: string } {
    return { source: this.configured.source.kind, connection: this.configured.name };
  }

  /** Something is due at `dueAtMs`: now, it is read in this turn's microtasks; later, the clock is set to it. */
  expect(monitor: Monitor): void {
    if (this.stopped || monitor.reading) return;
    const nowMs = this.options.monitorOptions.now();
    if (monitor.dueAtMs > nowMs) this.setClock(monitor.dueAtMs, nowMs);
    else this.readSoon(monitor);
  }

  /** A microtask, so that all whom one event wakes go into one request. */
  private readSoon(monitor: Monitor): void {
    if (this.urgent.size === 0) {
      queueMicrotask(() => {
        const due = [...this.urgent].filter((candidate) => !candidate.reading);
        this.urgent.clear();
        this.read(due);
      });
    }
    this.urgent.add(monitor);
  }

  private setClock(atMs: number, nowMs: number): void {
    if (atMs >= this.clockAtMs) return;
    clearTimeout(this.clock);
    this.clockAtMs = atMs;
    this.clock = setTimeout(() => this.tick(), atMs - nowMs);
  }

  private tick(): void {
    this.clockAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.options.monitorOptions.now();
    const due: Monitor[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const monitor of this.monitors.values()) {
      if (monitor.reading) continue;
      if (monitor.dueAtMs <= nowMs + togetherMs) due.push(monitor);
      else nextMs = Math.min(nextMs, monitor.dueAtMs);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.setClock(nextMs, nowMs);
    this.read(due);
  }

  private read(due: readonly Monitor[]): void {
    if (this.stopped || due.length === 0) return;
    const sinceMs = this.options.monitorOptions.now();
    const span = startRead(this.configured.source.kind, this.configured.name, due.length);
    const errors: ScalerError[] = [];
    const pending = new Map(due.map((monitor) => [monitor.key, monitor]));
    for (const monitor of due) monitor.begin(sinceMs);
    const deliver = (key: string, result: Delivered<unknown> | ScalerError) => {
      const monitor = pending.get(key);
      if (!monitor) return;
      pending.delete(key);
      this.count(result, sinceMs);
      if (result instanceof ScalerError) errors.push(result);
      monitor.delivered(result);
      this.expect(monitor);
    };
    void this.ask(due, deliver).then((failure) => {
      if (pending.size > 0) {
        const error = failure ?? new ScalerError('unavailable', 'the source did not answer in time');
        for (const key of [...pending.keys()]) deliver(key, error);
      }
      endRead(span, errors.length, errors[0]);
    });
  }

  /** Resolves when the source is done or out of time, with the error where it has failed. */
  private async ask(due: readonly Monitor[], deliver: Deliver<unknown>): Promise<ScalerError | undefined> {
    const under = new AbortController();
    this.underWay.add(under);
    const timer = setTimeout(() => under.abort(), readTimeoutMs);
    try {
      const subjects = due.map((monitor) => monitor.subject);
      await Promise.race([this.connection.read(subjects, deliver, under.signal), aborted(under.signal)]);
      return undefined;
    } catch (reason) {
      return ScalerError.from(reason, 'unavailable');
    } finally {
      clearTimeout(timer);
      this.underWay.delete(under);
      under.abort(over);
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
    this.stopped = true;
    clearTimeout(this.clock);
    this.hints.close();
    for (const under of this.underWay) under.abort();
    for (const monitor of this.monitors.values()) monitor.close();
    this.monitors.clear();
    await this.connection.close();
  }
}

/** Made once: an error of its own for each read, with its stack, was a tenth of what an event costs. */
const over = new ScalerError('unavailable', 'the read is over');

/** Resolves when the signal aborts, so that a source that ignores it cannot hold its subjects for ever. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
